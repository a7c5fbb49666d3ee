// A decoded picture with its own timestamp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "omnisync/time.h"

namespace omnisync {

enum class ColourModel { yuv, rgb, grey, other };

/// How the samples of a picture lie in memory.
struct PixelFormat {
    std::string name;  ///< FFmpeg's name, e.g. "yuv420p10le"
    ColourModel model = ColourModel::other;
    int bits = 8;            ///< per component, 8..16; samples above 8 bits take two bytes, native order
    int chroma_shift_x = 0;  ///< log2 of the horizontal chroma subsampling
    int chroma_shift_y = 0;
    bool planar = false;  ///< one component per plane
    bool alpha = false;

    friend bool operator==(const PixelFormat& a, const PixelFormat& b) { return a.name == b.name; }
};

/// Colour description as code points of ITU-T H.273; 2 means unspecified. Carried from input to output unchanged.
struct Colour {
    int primaries = 2;
    int transfer = 2;
    int matrix = 2;
    enum class Range { unspecified, limited, full } range = Range::unspecified;

    friend bool operator==(const Colour&, const Colour&) = default;
};

/// One plane of samples. `stride` is in bytes and may be negative.
struct Plane {
    std::uint8_t* data = nullptr;
    std::ptrdiff_t stride = 0;
    int width = 0;   ///< samples (of all components that share the plane) a row
    int height = 0;  ///< rows
};

/// A picture. Copying a Frame copies the handle, not the pixels; the pixels live as long as any handle.
/// Treat pixels as read-only unless you made the frame: a reader may share them with its decoder.
struct Frame {
    Pts pts;                    ///< when it is shown, in its stream's time base, as demuxed
    std::int64_t duration = 0;  ///< ticks of pts.unit; the last frame's is estimated when the file is silent on it
    int width = 0;
    int height = 0;
    PixelFormat format;
    std::array<Plane, 4> planes{};
    int plane_count = 0;
    bool damaged = false;  ///< the decoder concealed errors in it
    /// Which frame of its video it shows, counted from 0 in the order of display; set by whoever lays frames on an
    /// output's timeline. -1: not known.
    std::int64_t number = -1;

    /// Keeps `planes` alive. What it is, only the maker of the frame knows.
    std::shared_ptr<const void> owner;
    /// The reader's own record of the picture (captions, field flags, HDR data). Whoever replaces the pixels hands it
    /// on, so that the sink can write these with them.
    std::shared_ptr<const void> origin;
};

}  // namespace omnisync
