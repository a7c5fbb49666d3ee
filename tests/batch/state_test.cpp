// Attempts and their records: one holder at a time, whatever dies; what is published is what the record says.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/sha256.h"
#include "batch/attempt.h"
#include "batch/files.h"
#include "batch/job_status.h"
#include "batch/runner.h"
#include "support/paths.h"

namespace omnisync::batch {
namespace {

namespace fs = std::filesystem;
using Kind = Outcome::Kind;
using test::TempDir;

OptionTable options() {
    OptionTable table;
    const auto add = [&](const char* name, Role role) {
        table[name].role = role;
        table[name].check = [](const std::string&) {};
    };
    add("output", Role::output);
    add("engine", Role::plain);
    add("seed", Role::plain);
    add("report", Role::side);
    add("analysis", Role::analysis);
    table["force"].kind = ValueKind::flag;
    table["force"].check = [](const std::string&) {};
    table["engine"].default_text = "none";
    return table;
}

/// A batch whose jobs are done by a function.
class Batches : public testing::Test {
protected:
    void SetUp() override {
        test::write_bytes(folder_ / "v.mp4", "video");
        test::write_bytes(folder_ / "s.wav", "speech");
        open(R"({"video":"v.mp4","speech":"s.wav","output":"out/o.mp4"})");
    }

    void open(const std::string& text) {
        plan_ = make_plan(std::string_view(text), (folder_ / "jobs.jsonl").string(), table_, {});
    }

    /// Writes "made of VIDEO" as the result.
    static ChildEnd make(const ChildJob& child) {
        test::write_bytes(child.output, "made of " + test::read_bytes(child.job.video));
        return {0, 0, 0.5, 1000, {}, {}};
    }

    [[nodiscard]] Workshop shop() {
        return {plan_, table_, state_, keys_, beats_, child_, policy_, [this] { return stop_.load(); }};
    }
    Outcome attempt(std::size_t job = 0) { return attempt_job(shop(), plan_.jobs.at(job), {}); }
    State state(std::size_t job = 0) { return status_of(plan_, state_, keys_).at(job).state; }
    [[nodiscard]] std::string output() const { return (folder_ / "out/o.mp4").string(); }

    /// Nothing but outputs and records: no attempt's folder, nothing on its way.
    void expect_tidy() {
        for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
            const std::string name = entry.path().filename().string();
            EXPECT_FALSE(name.starts_with(".omnisync-")) << entry.path();
            EXPECT_EQ(name.find(".try."), std::string::npos) << entry.path();
        }
        EXPECT_TRUE(fs::is_empty(folder_ / "state/tmp"));
    }

    TempDir folder_;
    OptionTable table_ = options();
    Plan plan_;
    StateFolder state_{(folder_ / "state").string(), 1.0};
    KeyMaker keys_{table_, "1", [](const std::string&, const std::string&) { return "weights"; }, {}};
    Heartbeats beats_{state_};
    RunChild child_ = make;
    RetryPolicy policy_{3, 0};
    std::atomic<bool> stop_ = false;
};

TEST_F(Batches, AResultIsPublishedOnceAndKnownByItsKey) {
    EXPECT_EQ(state(), State::waiting);
    EXPECT_EQ(attempt().kind, Kind::done);
    EXPECT_EQ(test::read_bytes(output()), "made of video");
    const auto done = state_.read_done(plan_.jobs[0].id);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->output.sha256, hex(sha256("made of video")));
    EXPECT_EQ(done->inputs.size(), 2U);
    child_ = [](const ChildJob&) -> ChildEnd {
        ADD_FAILURE() << "there is nothing to do";
        return {};
    };
    EXPECT_EQ(attempt().kind, Kind::already_done);
    EXPECT_EQ(state(), State::done);
    expect_tidy();
}

TEST_F(Batches, WhatChangesIsDoneAgain) {
    EXPECT_EQ(attempt().kind, Kind::done);
    test::write_bytes(folder_ / "v.mp4", "other");
    EXPECT_EQ(state(), State::outdated);
    EXPECT_EQ(attempt().kind, Kind::done);
    EXPECT_EQ(test::read_bytes(output()), "made of other") << "our own earlier result is replaced";
    open(R"({"video":"v.mp4","speech":"s.wav","output":"out/o.mp4","seed":"2"})");
    EXPECT_EQ(state(), State::outdated) << "options";
    EXPECT_EQ(attempt().kind, Kind::done);
    fs::remove(output());
    EXPECT_EQ(state(), State::outdated) << "the output is gone";
    EXPECT_EQ(attempt().kind, Kind::done);
    fs::last_write_time(folder_ / "v.mp4", fs::file_time_type::clock::now());
    EXPECT_EQ(state(), State::done) << "touched, and the same";
    open(R"({"video":"v.mp4","speech":"s.wav","output":"out/o.mp4","seed":"2","force":true})");
    EXPECT_EQ(state(), State::done) << "what changes no result changes no key";
}

TEST_F(Batches, AStrangersFileStays) {
    fs::create_directory(folder_ / "out");
    test::write_bytes(output(), "precious");
    const Outcome outcome = attempt();
    EXPECT_EQ(outcome.kind, Kind::failed);
    EXPECT_EQ(outcome.ending.exit_code, static_cast<int>(ExitCode::cannot_create));
    EXPECT_EQ(test::read_bytes(output()), "precious");
    EXPECT_EQ(state(), State::failed);
    open(R"({"video":"v.mp4","speech":"s.wav","output":"out/o.mp4","force":true})");
    EXPECT_EQ(attempt().kind, Kind::done) << "the job says that it may be replaced";
    EXPECT_EQ(test::read_bytes(output()), "made of video");
}

TEST_F(Batches, AFileThatAppearsMeanwhileStays) {
    child_ = [this](const ChildJob& child) {
        test::write_bytes(output(), "precious");
        return make(child);
    };
    EXPECT_EQ(attempt().ending.exit_code, static_cast<int>(ExitCode::cannot_create));
    EXPECT_EQ(test::read_bytes(output()), "precious");
    for (const std::string& name : test::names_in(folder_ / "out")) EXPECT_EQ(name, "o.mp4");
}

TEST_F(Batches, TheOutputIsNoInputUnderAnotherName) {
    fs::create_directory(folder_ / "out");
    fs::create_hard_link(folder_ / "v.mp4", output());
    open(R"({"video":"v.mp4","speech":"s.wav","output":"out/o.mp4","force":true})");
    EXPECT_EQ(attempt().ending.exit_code, static_cast<int>(ExitCode::not_allowed));
    EXPECT_EQ(test::read_bytes(folder_ / "v.mp4"), "video");
}

TEST_F(Batches, BadInputIsNotTriedAgain) {
    child_ = [](const ChildJob&) { return ChildEnd{65, 0, 0, 0, "it is damaged", "repair it"}; };
    const Outcome outcome = attempt();
    EXPECT_EQ(outcome.kind, Kind::failed);
    EXPECT_EQ(outcome.ending.reason, "it is damaged");
    child_ = make;
    EXPECT_EQ(attempt().kind, Kind::failed) << "known";
    EXPECT_EQ(state_.read_tries(plan_.jobs[0].id).size(), 1U);
    test::write_bytes(folder_ / "v.mp4", "repaired");
    EXPECT_EQ(state(), State::waiting);
    EXPECT_EQ(attempt().kind, Kind::done) << "another input is another job";
    expect_tidy();
}

TEST_F(Batches, AMissingInputIsNoInput) {
    fs::remove(folder_ / "v.mp4");
    EXPECT_EQ(attempt().ending.exit_code, static_cast<int>(ExitCode::no_input));
    EXPECT_EQ(state(), State::failed);
    EXPECT_EQ(attempt().kind, Kind::failed);
    test::write_bytes(folder_ / "v.mp4", "there");
    EXPECT_EQ(attempt().kind, Kind::done);
}

TEST_F(Batches, WhatMayPassIsTriedAgainSomeTimes) {
    int runs = 0;
    child_ = [&](const ChildJob&) {
        ++runs;
        return ChildEnd{74, 0, 0, 0, "the disk is full", {}};
    };
    EXPECT_EQ(attempt().kind, Kind::later);
    EXPECT_EQ(state(), State::retrying);
    EXPECT_EQ(attempt().kind, Kind::later);
    EXPECT_EQ(attempt().kind, Kind::later);
    EXPECT_EQ(attempt().kind, Kind::failed);
    EXPECT_EQ(runs, 4) << "once, and three times more";
    EXPECT_EQ(attempt().kind, Kind::failed);
    EXPECT_EQ(runs, 4);
}

TEST_F(Batches, BackOffDoubles) {
    policy_.backoff_s = 100;
    child_ = [&](const ChildJob&) { return ChildEnd{74, 0, 0, 0, "full", {}}; };
    const Outcome first = attempt();
    EXPECT_GT(first.not_before_s, unix_time_s() + 50) << "60 s at most";
    EXPECT_EQ(attempt().kind, Kind::later) << "not yet due";
    EXPECT_EQ(state_.read_tries(plan_.jobs[0].id).size(), 1U);
}

TEST_F(Batches, OurOwnFaultIsTriedOnceMore) {
    child_ = [](const ChildJob&) { return ChildEnd{70, 0, 0, 0, "a bug", {}}; };
    EXPECT_EQ(attempt().kind, Kind::later);
    EXPECT_EQ(attempt().kind, Kind::failed);
}

TEST_F(Batches, AStopDoesNotCount) {
    child_ = [this](const ChildJob&) {
        stop_ = true;
        return ChildEnd{75, 0, 0, 0, {}, {}};
    };
    for (int i = 0; i < 5; ++i) {
        stop_ = false;
        EXPECT_EQ(attempt().kind, Kind::stopped);
        EXPECT_EQ(state(), State::waiting);
    }
    stop_ = false;
    child_ = make;
    EXPECT_EQ(attempt().kind, Kind::done);
    expect_tidy();
}

TEST_F(Batches, TwoAtOnceAreOne) {
    std::atomic<int> made = 0;
    child_ = [&](const ChildJob& child) {
        ++made;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return make(child);
    };
    for (int round = 0; round < 10; ++round) {
        made = 0;
        std::atomic<int> done = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (;;) {
                    const Outcome outcome = attempt();
                    if (outcome.kind == Kind::done) ++done;
                    if (outcome.kind != Kind::busy) return;
                    std::this_thread::sleep_for(std::chrono::milliseconds(5));
                }
            });
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(made, 1);
        EXPECT_EQ(done, 1);
        fs::remove(output());
    }
    expect_tidy();
}

/// Begins the job in a process of its own, which is killed when its child is at work, or after it has said what it is
/// about to publish.
class Deaths : public Batches, public testing::WithParamInterface<bool> {
protected:
    void die_at_work(bool while_publishing) {
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        const pid_t child = fork();
        if (child == 0) {
            // The heartbeat's thread is not in this process: a heart of its own is not needed for so short a life.
            child_ = [&](const ChildJob& job) {
                const ChildEnd end = make(job);
                if (while_publishing) {
                    // As attempt.cpp does it, up to the moment after the result has its name.
                    auto tries = state_.read_tries(job.job.id);
                    tries.back().publishing = mark_file(job.output, nullptr, {});
                    tries.back().publishing->path = job.job.output;
                    state_.rewrite_try(job.job.id, static_cast<int>(tries.size()), tries.back());
                    if (!put_in_place(job.output, job.job.output, false)) _exit(3);
                }
                if (write(ends[1], "x", 1) != 1) _exit(2);
                for (;;) pause();
                return end;
            };
            (void)attempt();
            _exit(1);
        }
        char letter = 0;
        ASSERT_EQ(read(ends[0], &letter, 1), 1);
        EXPECT_EQ(state(), State::running);
        EXPECT_EQ(attempt().kind, Kind::busy) << "its process lives";
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        close(ends[0]);
        close(ends[1]);
    }
};

TEST_P(Deaths, AreTakenOver) {
    die_at_work(GetParam());
    EXPECT_EQ(state(), State::lost);
    int made = 0;
    child_ = [&](const ChildJob& child) {
        ++made;
        return make(child);
    };
    EXPECT_EQ(attempt().kind, Kind::done);
    EXPECT_EQ(made, GetParam() ? 0 : 1) << "a result that has its name already is taken as it is";
    EXPECT_EQ(state_.read_done(plan_.jobs[0].id)->attempts, 2);
    EXPECT_EQ(state(), State::done);
    expect_tidy();
}

TEST_F(Batches, AResultThatWasPublishedIsOursWhoeverDiedSince) {
    TryRecord dead;
    dead.key = attempt_key(plan_.jobs[0], keys_.any_key(plan_.jobs[0], {}));
    dead.owner = this_process();
    dead.owner.started = 1;
    const std::string id = plan_.jobs[0].id;
    for (int number = 1; number <= 3; ++number) {
        dead.attempt = random_word();
        if (number == 1) dead.publishing = FileMark{output(), 4, 0, hex(sha256("ours"))};
        ASSERT_TRUE(state_.create_try(id, number, dead));
        dead.publishing.reset();
        const fs::path folder = folder_ / "out" / (".omnisync-" + id.substr(0, 16) + "-" + dead.attempt.substr(0, 16));
        fs::create_directories(folder);
    }
    test::write_bytes(output(), "ours");
    child_ = [](const ChildJob&) -> ChildEnd {
        ADD_FAILURE() << "the work is done";
        return {};
    };
    EXPECT_EQ(attempt().kind, Kind::done);
    EXPECT_EQ(state(), State::done);
    EXPECT_EQ(state_.read_done(id)->output.sha256, hex(sha256("ours")));
    expect_tidy();
}

TEST_F(Batches, AJobThatTakesItsRunnerAlongLetsOthersGoFirst) {
    policy_.backoff_s = 30;
    TryRecord dead;
    dead.key = attempt_key(plan_.jobs[0], keys_.any_key(plan_.jobs[0], {}));
    dead.attempt = random_word();
    dead.owner = this_process();
    dead.owner.started = 1;
    dead.started_s = unix_time_s();
    ASSERT_TRUE(state_.create_try(plan_.jobs[0].id, 1, dead));
    EXPECT_EQ(state(), State::lost);
    const Outcome outcome = attempt();
    EXPECT_EQ(outcome.kind, Kind::later);
    EXPECT_GT(outcome.not_before_s, unix_time_s() + 15);
    policy_.backoff_s = 0;
    EXPECT_EQ(attempt().kind, Kind::done);
    for (int number = 1; number <= 11; ++number) ASSERT_TRUE(state_.create_try(plan_.jobs[0].id, number, dead));
    fs::remove(output());
    const Outcome last = attempt();
    EXPECT_EQ(last.kind, Kind::failed);
    EXPECT_EQ(last.ending.kind, Ending::Kind::lost);
}
INSTANTIATE_TEST_SUITE_P(When, Deaths, testing::Bool(),
                         [](const auto& info) { return info.param ? "Publishing" : "Working"; });

TEST_F(Batches, AProcessElsewhereLivesWhileItGivesSigns) {
    TryRecord far;
    far.key = "k";
    far.attempt = random_word();
    far.owner = {"far", "far/boot/ns", 1, 1};
    ASSERT_TRUE(state_.create_try(plan_.jobs[0].id, 1, far));
    EXPECT_EQ(attempt().kind, Kind::busy);
    EXPECT_EQ(state(), State::running);
    EXPECT_FALSE(state_.create_try(plan_.jobs[0].id, 1, far)) << "a name is given once";
    // Older than the lease.
    const auto then = fs::file_time_type::clock::now() - std::chrono::seconds(5);
    const std::string id = plan_.jobs[0].id;
    fs::last_write_time(folder_ / "state" / id.substr(0, 2) / (id + ".try.1"), then);
    EXPECT_EQ(state(), State::lost);
    EXPECT_EQ(attempt().kind, Kind::done);
}

TEST_F(Batches, WhoWasTakenForDeadPublishesNothing) {
    const std::string id = plan_.jobs[0].id;
    child_ = [&](const ChildJob& child) {
        // While we worked, somebody who saw no sign of us took the job, and did it.
        TryRecord other;
        other.attempt = random_word();
        other.owner = this_process();
        EXPECT_TRUE(state_.create_try(id, 2, other));
        fs::create_directories(fs::path(output()).parent_path());
        test::write_bytes(output(), "the other's");
        return make(child);
    };
    EXPECT_EQ(attempt().kind, Kind::busy);
    EXPECT_EQ(test::read_bytes(output()), "the other's");
    for (const std::string& name : test::names_in(folder_ / "out")) EXPECT_EQ(name, "o.mp4");
}

TEST_F(Batches, FurtherFilesFollowTheResult) {
    open(R"({"video":"v.mp4","speech":"s.wav","output":"out/o.mp4","report":"reports/r.json","analysis":"a.faces"})");
    child_ = [&](const ChildJob& child) {
        for (const auto& [name, value] : child.options) {
            EXPECT_NE(value, (folder_ / "reports/r.json").string()) << "not before the result";
            if (name == "report") test::write_bytes(value, R"({"output":{"path":")" + child.output + "\"}}");
            if (name == "analysis") test::write_bytes(value, "faces");
        }
        return make(child);
    };
    EXPECT_EQ(attempt().kind, Kind::done);
    EXPECT_NE(test::read_bytes(folder_ / "reports/r.json").find("\"" + output() + "\""), std::string::npos)
        << "names are those that files have in the end";
    EXPECT_EQ(test::read_bytes(folder_ / "a.faces"), "faces");
    expect_tidy();
}

TEST_F(Batches, AnInputThatChangesMeanwhileSpoilsTheAttempt) {
    child_ = [&](const ChildJob& child) {
        const ChildEnd end = make(child);
        test::write_bytes(folder_ / "v.mp4", "changed");
        return end;
    };
    const Outcome outcome = attempt();
    EXPECT_EQ(outcome.kind, Kind::later);
    EXPECT_FALSE(fs::exists(output()));
    child_ = make;
    EXPECT_EQ(attempt().kind, Kind::done);
    EXPECT_EQ(test::read_bytes(output()), "made of changed");
}

TEST_F(Batches, DependentsOfFailuresAreSkipped) {
    open(R"({"video":"v.mp4","speech":"s.wav","output":"a","name":"a"})"
         "\n"
         R"({"video":"v.mp4","speech":"s.wav","output":"b","depends":"a","name":"b"})"
         "\n"
         R"({"video":"v.mp4","speech":"s.wav","output":"c","depends":"b"})"
         "\n"
         R"({"video":"v.mp4","speech":"s.wav","output":"d"})");
    child_ = [](const ChildJob& child) {
        return child.job.name == "a" ? ChildEnd{65, 0, 0, 0, "bad", {}} : make(child);
    };
    RunnerOptions wishes;
    wishes.workers = 2;
    wishes.available_memory = [] { return std::uint64_t{0}; };
    const RunnerResult result = run_jobs(shop(), {0, 1, 2, 3}, wishes);
    EXPECT_EQ(result.done, 1U);
    EXPECT_EQ(result.failed, 1U);
    EXPECT_EQ(result.skipped, 2U);
    EXPECT_FALSE(result.stopped);
    const auto all = status_of(plan_, state_, keys_);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string output = plan_.label(plan_.jobs[i]);
        const State wanted = output == "a" ? State::failed : output == "d" ? State::done : State::skipped;
        EXPECT_EQ(all[i].state, wanted) << output;
    }
}

TEST_F(Batches, GpusTakeOneJobEach) {
    std::string text;
    for (int i = 0; i < 12; ++i)
        text += R"({"video":"v.mp4","speech":"s.wav","output":"o)" + std::to_string(i) + R"(","engine":")" +
                (i % 2 == 0 ? "portable" : "none") + "\"}\n";
    open(text);
    std::atomic<int> busy[2] = {0, 0};
    std::atomic<int> on_gpu = 0;
    child_ = [&](const ChildJob& child) {
        EXPECT_EQ(child.slot.gpu >= 0, child.job.option("engine") == "portable");
        if (child.slot.gpu >= 0) {
            ++on_gpu;
            EXPECT_EQ(++busy[child.slot.gpu], 1);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            --busy[child.slot.gpu];
        }
        return make(child);
    };
    RunnerOptions wishes;
    wishes.workers = 1;
    wishes.gpus = {0, 1};
    wishes.available_memory = [] { return std::uint64_t{0}; };
    wishes.wants_gpu = [](const Job& job) { return job.option("engine") == "portable"; };
    std::vector<std::uint32_t> all(12);
    for (std::uint32_t i = 0; i < 12; ++i) all[i] = i;
    EXPECT_EQ(run_jobs(shop(), all, wishes).done, 12U);
    EXPECT_EQ(on_gpu, 6);
}

TEST(Admission, JobsStartWhileTheMemoryLasts) {
    constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
    Admission admission(3);
    EXPECT_TRUE(admission.start("none", 1)) << "one always runs";
    EXPECT_FALSE(admission.start("none", kGiB)) << "a second one may not fit";
    EXPECT_TRUE(admission.start("none", 4 * kGiB));
    EXPECT_TRUE(admission.start("none", 4 * kGiB));
    EXPECT_FALSE(admission.start("none", 100 * kGiB)) << "three at a time";
    admission.ended("none", kGiB / 8);
    EXPECT_TRUE(admission.start("none", kGiB)) << "what was seen counts, not what was guessed";
    admission.killed("none");
    admission.ended("none", 0);
    EXPECT_FALSE(admission.start("none", 100 * kGiB)) << "one less at a time";
}

TEST(Records, SurviveTheFileAndRefuseWhatIsNone) {
    TryRecord record;
    record.key = "k";
    record.attempt = "a";
    record.owner = this_process();
    record.inputs = {{"/a \"b\"\n", 5, 6, "sum"}};
    record.ending.emplace();
    record.ending->kind = Ending::Kind::killed;
    record.ending->reason = "caf\xe9";
    const auto back = parse_try(to_text(record));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->owner, record.owner);
    EXPECT_EQ(back->inputs, record.inputs);
    EXPECT_EQ(back->ending->kind, Ending::Kind::killed);
    for (const char* text : {"", "{", "[]", "{\"format\":2}", "{\"format\":1}", "{\"format\":1,\"key\":7}"}) {
        EXPECT_FALSE(parse_try(text)) << text;
        EXPECT_FALSE(parse_done(text)) << text;
    }
}

}  // namespace
}  // namespace omnisync::batch
