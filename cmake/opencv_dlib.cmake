# omnisync::opencv and omnisync::dlib, for the tracking library and the command's pictures.
#
# Imported targets of our own. OpenCV's package file asks for every one of its modules (with VTK, GDAL, MPI behind them,
# 170 MB more to install), dlib's adds image and database libraries; nothing here uses those.
include_guard(GLOBAL)
find_path(OMNISYNC_OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4)
find_path(OMNISYNC_DLIB_INCLUDE dlib/image_processing.h)
find_library(OMNISYNC_DLIB_LIBRARY dlib)
# dlib's headers call LAPACK and BLAS where Debian's dlib was built with them; libdlib brings the libraries, but not their
# -dev packages.
find_library(OMNISYNC_LAPACK NAMES lapack liblapack.so.3)
find_library(OMNISYNC_BLAS NAMES blas libblas.so.3)
set(missing "")
add_library(omnisync_opencv INTERFACE)
add_library(omnisync::opencv ALIAS omnisync_opencv)
foreach(module core imgproc video)
  find_library(OMNISYNC_OPENCV_${module} opencv_${module})
  if(NOT OMNISYNC_OPENCV_${module})
    list(APPEND missing opencv_${module})
    continue()
  endif()
  add_library(omnisync_opencv_${module} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(omnisync_opencv_${module} PROPERTIES
    IMPORTED_LOCATION ${OMNISYNC_OPENCV_${module}}
    INTERFACE_INCLUDE_DIRECTORIES "${OMNISYNC_OPENCV_INCLUDE}")
  target_link_libraries(omnisync_opencv INTERFACE omnisync_opencv_${module})
endforeach()
if(missing OR NOT OMNISYNC_OPENCV_INCLUDE OR NOT OMNISYNC_DLIB_INCLUDE OR NOT OMNISYNC_DLIB_LIBRARY)
  message(FATAL_ERROR "OpenCV 4 or dlib is missing (${missing}). Run tools/bootstrap, or configure with "
                      "-DOMNISYNC_MEDIA=OFF to build without the media libraries and the command.")
endif()

file(STRINGS ${OMNISYNC_OPENCV_INCLUDE}/opencv2/core/version.hpp parts REGEX "define CV_VERSION_(MAJOR|MINOR|REVISION) ")
string(REGEX REPLACE "[^0-9;]" "" parts "${parts}")
string(REPLACE ";" "." OpenCV_VERSION "${parts}")

add_library(omnisync_dlib UNKNOWN IMPORTED GLOBAL)
set_target_properties(omnisync_dlib PROPERTIES
  IMPORTED_LOCATION ${OMNISYNC_DLIB_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${OMNISYNC_DLIB_INCLUDE}
  INTERFACE_LINK_LIBRARIES
    "$<$<BOOL:${OMNISYNC_LAPACK}>:${OMNISYNC_LAPACK}>;$<$<BOOL:${OMNISYNC_BLAS}>:${OMNISYNC_BLAS}>")
add_library(omnisync::dlib ALIAS omnisync_dlib)
