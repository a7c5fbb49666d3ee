# Our warnings, for our files only. Everything of others is a SYSTEM include (imported targets are by default).
include_guard(GLOBAL)
include(CMakeParseArguments)

option(OMNISYNC_WERROR "Warnings in our files are errors" ON)

add_library(omnisync_warnings INTERFACE)
target_compile_options(omnisync_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wvla>
  $<$<AND:$<BOOL:${OMNISYNC_WERROR}>,$<COMPILE_LANGUAGE:CXX>>:-Werror>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>)

# For tests: without what GoogleTest's macros and compact test code trip over.
add_library(omnisync_test_warnings INTERFACE)
target_compile_options(omnisync_test_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-dangling-else>
  $<$<AND:$<BOOL:${OMNISYNC_WERROR}>,$<COMPILE_LANGUAGE:CXX>>:-Werror>)

# omnisync_library(<name> SOURCES <file>... [PUBLIC <target>...] [PRIVATE <target>...] [STATIC|MODULE])
# makes libomnisync_<name> and its alias omnisync::<name>. Public headers come from include/, private ones from src/.
# Shared libraries and modules are installed; shared ones are exported to find_package(omnisync).
function(omnisync_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC;MODULE" "" "SOURCES;PUBLIC;PRIVATE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "omnisync_library(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(kind SHARED)
  if(arg_STATIC)
    set(kind STATIC)
  elseif(arg_MODULE)
    set(kind MODULE)
  endif()
  set(target omnisync_${name})
  add_library(${target} ${kind} ${arg_SOURCES})
  add_library(omnisync::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:omnisync_warnings>)
  if(kind STREQUAL "SHARED")
    install(TARGETS ${target} EXPORT omnisync LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  elseif(kind STREQUAL "MODULE")
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
endfunction()

# omnisync_program(<name> SOURCES <file>... [LINK <target>...]): a program of ours with our warnings; not installed.
function(omnisync_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE ${arg_LINK} omnisync_warnings)
endfunction()
