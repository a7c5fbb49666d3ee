// Which build this is. The .cpp is made by build_info.cmake at build time.
#pragma once

namespace omnisync::build {

extern const char* const kVersion;
extern const char* const kCommit;  ///< abbreviated, "+" when files differed from it; "unknown" outside a checkout
extern const char* const kCompiler;
extern const char* const kBuildType;

}  // namespace omnisync::build
