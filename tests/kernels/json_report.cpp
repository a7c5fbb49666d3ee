#include "json_report.h"

#include <cstdio>
#include <fstream>

namespace kernelcheck {
namespace {

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + '"';
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

std::string to_json(const Timing& timing) {
    std::string text = "{\"name\": " + quoted(timing.name) +
                       ", \"on\": " + (timing.plain_seconds > 0 ? "\"cpu\"" : "\"cuda\"") +
                       ", \"seconds\": " + number(timing.seconds) + ", \"bytes\": " + number(timing.work.bytes);
    if (timing.work.operations > 0) text += ", \"operations\": " + number(timing.work.operations);
    if (timing.plain_seconds > 0) text += ", \"plain_seconds\": " + number(timing.plain_seconds);
    return text + "}";
}

const char* boolean(bool value) {
    return value ? "true" : "false";
}

}  // namespace

JsonReport::JsonReport(const std::string& simd, const std::string& cuda_absent)
    : head_("{\"simd\": " + quoted(simd) +
            (cuda_absent.empty() ? std::string() : ", \"cuda_absent\": " + quoted(cuda_absent))) {}

void JsonReport::copy_speed(double bytes_per_s) {
    head_ += ", \"copy_bytes_per_s\": " + number(bytes_per_s);
}

void JsonReport::add(const std::string& check, bool passed, const std::vector<Timing>& timings) {
    if (!checks_.empty()) checks_ += ",\n  ";
    checks_ += "{\"name\": " + quoted(check) + ", \"passed\": " + boolean(passed) + ", \"timings\": [";
    for (std::size_t i = 0; i < timings.size(); ++i) checks_ += (i > 0 ? ",\n    " : "\n    ") + to_json(timings[i]);
    checks_ += "]}";
}

bool JsonReport::write(const std::string& path, bool passed) const {
    std::ofstream file(path);
    file << head_ << ", \"passed\": " << boolean(passed) << ", \"checks\": [\n  " << checks_ << "]}\n";
    return file.flush().good();
}

}  // namespace kernelcheck
