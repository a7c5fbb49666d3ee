// BRISQUE, by OpenCV's quality module. That comes with a quarter gigabyte of other modules, so what uses it is a module
// of its own, built where the headers are and loaded where the libraries are.
#pragma once

#include "omnisync/picture.h"

namespace omnisync::command {

class Brisque {
public:
    virtual ~Brisque() = default;
    /// 0 (best) to 100 (worst); NaN where OpenCV fails.
    [[nodiscard]] virtual double score(const Image& picture) = 0;
};

/// Name and type of libomnisync_brisque.so's one function. Files: opencv-data's model and range. Null when they cannot
/// be used. The caller owns the result, which dies before the library.
inline constexpr const char* kBrisqueEntry = "omnisync_brisque_v1";
using BrisqueEntry = Brisque*(const char* model, const char* range) noexcept;

}  // namespace omnisync::command

extern "C" omnisync::command::Brisque* omnisync_brisque_v1(const char* model, const char* range) noexcept;
