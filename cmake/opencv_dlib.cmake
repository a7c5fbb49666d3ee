# omnisync::opencv and omnisync::dlib, for the tracking library alone.
include_guard(GLOBAL)
find_package(OpenCV 4.5 QUIET COMPONENTS core imgproc imgcodecs video calib3d)
find_path(OMNISYNC_DLIB_INCLUDE dlib/image_processing.h)
find_library(OMNISYNC_DLIB_LIBRARY dlib)
if(NOT OpenCV_FOUND OR NOT OMNISYNC_DLIB_INCLUDE OR NOT OMNISYNC_DLIB_LIBRARY)
  message(FATAL_ERROR "OpenCV (4.5 or newer) or dlib is missing. Run tools/bootstrap, or configure with "
                      "-DOMNISYNC_MEDIA=OFF to build without the media libraries and the command.")
endif()
add_library(omnisync_opencv INTERFACE)
target_link_libraries(omnisync_opencv INTERFACE opencv_core opencv_imgproc opencv_imgcodecs opencv_video opencv_calib3d)
add_library(omnisync::opencv ALIAS omnisync_opencv)

# An imported target of our own: dlib's adds image and database libraries that nothing here uses.
add_library(omnisync_dlib UNKNOWN IMPORTED GLOBAL)
set_target_properties(omnisync_dlib PROPERTIES
  IMPORTED_LOCATION ${OMNISYNC_DLIB_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${OMNISYNC_DLIB_INCLUDE})
add_library(omnisync::dlib ALIAS omnisync_dlib)
