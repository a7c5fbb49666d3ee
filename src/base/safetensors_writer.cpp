#include "base/safetensors_writer.h"

#include <nlohmann/json.hpp>

#include "omnisync/error.h"

namespace omnisync {

SafetensorsWriter::SafetensorsWriter(const std::string& path, bool overwrite, const std::vector<TensorEntry>& entries,
                                     const std::map<std::string, std::string>& metadata)
    : file_(path, overwrite, {}) {
    nlohmann::ordered_json header;
    if (!metadata.empty()) header["__metadata__"] = metadata;
    for (const TensorEntry& entry : entries) {
        header[entry.name] = {
            {"dtype", entry.type}, {"shape", entry.shape}, {"data_offsets", {missing_, missing_ + entry.bytes}}};
        missing_ += entry.bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data lies as vector instructions like it
    const std::uint64_t length = text.size();
    file_.write({reinterpret_cast<const char*>(&length), sizeof length});
    file_.write(text);
}

void SafetensorsWriter::write(std::string_view bytes) {
    require(bytes.size() <= missing_, ExitCode::internal, file_.target(), ": more data than its header promises");
    missing_ -= bytes.size();
    file_.write(bytes);
}

void SafetensorsWriter::publish() {
    require(missing_ == 0, ExitCode::internal, file_.target(), ": less data than its header promises");
    file_.publish();
}

}  // namespace omnisync
