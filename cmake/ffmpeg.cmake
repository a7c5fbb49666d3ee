# omnisync::ffmpeg: the libav libraries that the media library uses.
include_guard(GLOBAL)
find_package(PkgConfig REQUIRED)
pkg_check_modules(OMNISYNC_FFMPEG IMPORTED_TARGET GLOBAL
  libavformat>=59 libavcodec>=59 libavutil>=57 libswscale>=6 libswresample>=4)
if(NOT OMNISYNC_FFMPEG_FOUND)
  message(FATAL_ERROR "FFmpeg's development files (5.1 or newer) are missing. Run tools/bootstrap, or configure with "
                      "-DOMNISYNC_MEDIA=OFF to build without the media libraries and the command.")
endif()
add_library(omnisync_ffmpeg INTERFACE)
target_link_libraries(omnisync_ffmpeg INTERFACE PkgConfig::OMNISYNC_FFMPEG)
add_library(omnisync::ffmpeg ALIAS omnisync_ffmpeg)
