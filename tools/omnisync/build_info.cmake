# Writes OUTPUT (build_info.cpp) when its content changes. Run by every build, so that the commit is the built one.
# cmake -DOUTPUT=... -DSOURCE_DIR=... -DVERSION=... -DCOMPILER=... -DBUILD_TYPE=... -P build_info.cmake
set(commit unknown)
find_package(Git QUIET)
if(GIT_FOUND AND EXISTS ${SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE_DIR} describe --always --dirty=+ --abbrev=10 --match=
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT commit)
    set(commit unknown)
  endif()
endif()
set(content "#include \"build_info.h\"

namespace omnisync::build {

const char* const kVersion = \"${VERSION}\";
const char* const kCommit = \"${commit}\";
const char* const kCompiler = \"${COMPILER}\";
const char* const kBuildType = \"${BUILD_TYPE}\";

}  // namespace omnisync::build
")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL content)
  file(WRITE ${OUTPUT} "${content}")
endif()
