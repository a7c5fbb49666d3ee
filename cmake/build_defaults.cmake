# How everything is compiled: C++20, optimised with assertions by default, ccache when found, relocatable run paths.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT multi_config AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, RelWithDebInfo or Debug" FORCE)
endif()
# -O2 -DNDEBUG; -O3 brings g++ 12 false warnings and no measured gain: the time goes into libav and LibTorch.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# The dev preset: assertions stay on. At -O1 g++ 12 raises false alarms about std::optional and <regex>.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -Wno-maybe-uninitialized")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

set(OMNISYNC_SANITIZE "" CACHE STRING "Sanitizers for our code, for example address,undefined")
if(OMNISYNC_SANITIZE)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${OMNISYNC_SANITIZE}>
                      $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize-recover=all>
                      $<$<COMPILE_LANGUAGE:CXX>:-fno-omit-frame-pointer>)
  add_link_options(-fsanitize=${OMNISYNC_SANITIZE})
else()
  add_link_options(LINKER:-z,defs)  # a library that forgets what it needs fails here, not on a user's machine
endif()
add_link_options(LINKER:--as-needed)
if(OMNISYNC_FUZZ)
  # The libraries too: a fuzzer that sees no branch of what it tries only guesses. Goes with a sanitizer.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
endif()

# Programs in bin/, libraries in lib/, in the build tree as in the installed one, so that both find each other alike.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN;$ORIGIN/../lib")
if(NOT CMAKE_INSTALL_LIBDIR STREQUAL "lib")
  list(APPEND CMAKE_INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endif()
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)  # LibTorch stays in its own prefix
