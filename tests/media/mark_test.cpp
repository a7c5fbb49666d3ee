// Metadata that says that mouths are synthesised: as bytes, and in files that others made.
#include "media/mark.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/paths.h"
#include "support/process.h"

namespace omnisync::media {
namespace {

const Mark kMark{"http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia", "tool <1> & 2",
                 "Made by a model"};
constexpr const char* kForeign =
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' dc:format='video/mp4'/>"
    "</rdf:RDF></x:xmpmeta>";

class MarkTest : public testing::Test {
protected:
    void SetUp() override {
        test::run_or_throw({"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=c=gray:s=64x64:d=0.2", "-metadata",
                            "comment=first", path()});
        plain_ = test::read_bytes(path());
    }
    [[nodiscard]] std::string path() const { return (folder_ / "a.mp4").string(); }
    void write_with(const std::string& tail) { test::write_bytes(path(), plain_ + tail); }

    test::TempDir folder_;
    std::string plain_;
};

TEST_F(MarkTest, APacketComesBackFromTheEndOfAFile) {
    EXPECT_FALSE(read_xmp(Input(path())));
    const std::string packet = marked_xmp("", kMark);
    write_with(xmp_box(packet));
    EXPECT_EQ(read_xmp(Input(path())).value_or(""), packet);
    const FoundMark found = find_mark(Input(path()));
    EXPECT_EQ(found.source_type, kMark.source_type);
    EXPECT_TRUE(found.in_xmp);
    EXPECT_FALSE(found.in_tags);
    EXPECT_NE(packet.find("tool &lt;1&gt; &amp; 2"), std::string::npos) << packet;
}

TEST_F(MarkTest, AForeignPacketKeepsWhatItSays) {
    const std::string packet = marked_xmp(kForeign, kMark);
    EXPECT_NE(packet.find("dc:format='video/mp4'"), std::string::npos);
    EXPECT_NE(packet.find(kMark.source_type), std::string::npos);
    EXPECT_EQ(marked_xmp(packet, kMark), packet) << "marked twice";
    const std::string capture = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture";
    const std::string once = marked_xmp("<a>" + capture + "</a>", kMark);
    EXPECT_EQ(once, "<a>" + kMark.source_type + "</a>");
}

TEST_F(MarkTest, DamagedBoxesAreNoPacket) {
    const std::string box = xmp_box(marked_xmp("", kMark));
    const Input input(path());  // opened while it was whole: libav refuses some of what follows
    for (const std::string& tail : {box.substr(0, box.size() / 2), box.substr(0, 20), box.substr(0, 8),
                                    std::string(9, '\0'), std::string("\0\0\0\1uuid\0\0\0\0\0\0\0\3", 16),
                                    std::string("\0\0\0\1uuid\xff\xff\xff\xff\xff\xff\xff\xff", 16)}) {
        write_with(tail);
        EXPECT_FALSE(read_xmp(input)) << tail.size();
    }
    write_with(box);
    EXPECT_TRUE(read_xmp(input)) << "whole";
    write_with(xmp_box(std::string((1U << 20U) + 1, 'x')));
    EXPECT_FALSE(read_xmp(input)) << "too large";
}

TEST_F(MarkTest, ACommentIsKeptAndTheMarkIsAddedOnce) {
    AVDictionary* tags = nullptr;
    av_dict_set(&tags, "comment", "first", 0);
    add_mark(kMark, false, &tags);
    const std::string once = av_dict_get(tags, "comment", nullptr, 0)->value;
    EXPECT_EQ(once, "first; Made by a model (" + kMark.source_type + ")");
    EXPECT_EQ(av_dict_get(tags, "digital_source_type", nullptr, 0), nullptr);
    add_mark(kMark, true, &tags);
    EXPECT_EQ(av_dict_get(tags, "comment", nullptr, 0)->value, once);
    EXPECT_EQ(av_dict_get(tags, "digital_source_type", nullptr, 0)->value, kMark.source_type);
    av_dict_free(&tags);
}

}  // namespace
}  // namespace omnisync::media
