# `cmake --install` and find_package(omnisync) for programs that use the libraries.
include_guard(GLOBAL)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/omnisync)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/omnisync DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/THIRD_PARTY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT omnisync NAMESPACE omnisync:: FILE omnisync-targets.cmake DESTINATION ${package_dir})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/omnisync-config.cmake.in
  ${PROJECT_BINARY_DIR}/omnisync-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/omnisync-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/omnisync-config.cmake ${PROJECT_BINARY_DIR}/omnisync-config-version.cmake
        DESTINATION ${package_dir})
