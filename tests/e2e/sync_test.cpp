// The sync network as it ships, through `omnisync eval`: a sound that is moved is found moved by as much.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/dub.h"
#include "support/paths.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Json = nlohmann::json;

class Sync : public testing::Test {
protected:
    static Json figures(const std::string& video) {
        ProcessOptions options;
        options.limit = std::chrono::minutes(5);
        const auto done = run({command_path(), "eval", video, "--quiet", "--json"}, options);
        EXPECT_TRUE(done.ok()) << done.summary();
        return done.ok() ? Json::parse(done.out).at("figures") : Json();
    }
    /// The example with its sound changed by ffmpeg's filter.
    [[nodiscard]] std::string changed(const std::string& filter) const {
        const std::string made = (folder_ / "changed.mkv").string();
        run_or_throw({"ffmpeg", "-v", "error", "-y", "-i", example("speaker.mp4"), "-c:v", "copy", "-af", filter,
                      "-c:a", "flac", made});
        return made;
    }

private:
    TempDir folder_;
};

TEST_F(Sync, AMovedSoundIsFoundMovedByAsMuch) {
    const Json still = figures(example("speaker.mp4"));
    ASSERT_TRUE(still.at("sync_offset").at("value").is_number()) << still.at("sync_offset");
    const double offset_ms = still.at("sync_offset").at("value");
    EXPECT_LT(std::abs(offset_ms), 60);
    const Json late = figures(changed("adelay=200:all=1"));
    EXPECT_NEAR(late.at("sync_offset").at("value").get<double>() - offset_ms, 200, 20);
    const Json early = figures(changed("atrim=start=0.16,asetpts=PTS-STARTPTS"));
    EXPECT_NEAR(early.at("sync_offset").at("value").get<double>() - offset_ms, -160, 20);
}

TEST_F(Sync, StrangeSoundScoresBelowTheOwnAndSilenceNotAtAll) {
    const Json own = figures(example("speaker.mp4"));
    const Json backwards = figures(changed("areverse"));
    EXPECT_LT(backwards.at("sync_confidence").at("value").get<double>(),
              own.at("sync_confidence").at("value").get<double>());
    EXPECT_GT(backwards.at("sync_distance").at("value").get<double>(),
              own.at("sync_distance").at("value").get<double>());
    const Json silent = figures(changed("volume=0"));
    EXPECT_TRUE(silent.at("sync_offset").at("value").is_null()) << silent.at("sync_offset");
}

}  // namespace
}  // namespace omnisync::test
