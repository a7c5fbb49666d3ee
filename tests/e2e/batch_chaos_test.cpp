// Batches under attack: runners and tasks killed at random, on a real Slurm and with two local runners. A short run
// here; OMNISYNC_BATCH_JOBS=200 is the long one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/batch_scene.h"

extern char** environ;

namespace omnisync::test {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Fills the scene: one job in twenty cannot be done. Returns how many there are.
int write_jobs(BatchScene& scene) {
    const char* const given = std::getenv("OMNISYNC_BATCH_JOBS");
    const int jobs = given != nullptr ? std::max(20, std::atoi(given)) : 40;
    const int bad = std::max(2, jobs / 20);
    scene.write_jobs(jobs - bad, bad, 2);
    return jobs;
}

ProcessOptions within(std::chrono::seconds limit) {
    ProcessOptions options;
    options.limit = limit;
    return options;
}

/// A process that nobody waits for until it is killed or asked about.
class Background {
public:
    explicit Background(std::vector<std::string> words) {
        std::vector<char*> pointers;
        for (std::string& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        for (const int stream : {1, 2}) posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
        if (posix_spawn(&id_, pointers[0], &actions, nullptr, pointers.data(), environ) != 0) id_ = -1;
        posix_spawn_file_actions_destroy(&actions);
    }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    ~Background() { kill_now(); }

    [[nodiscard]] bool ended() {
        if (id_ > 0 && waitpid(id_, nullptr, WNOHANG) == id_) id_ = -1;
        return id_ < 0;
    }
    void kill_now() {
        if (ended()) return;
        kill(id_, SIGKILL);
        waitpid(id_, nullptr, 0);
        id_ = -1;
    }

private:
    pid_t id_ = -1;
};

void expect_every_promise(const BatchScene& scene, const AppearanceCounter& appearances, StatusWatch& watch) {
    for (const std::string& wrong : watch.finish()) ADD_FAILURE() << "status: " << wrong;
    EXPECT_GT(watch.looks(), 2);
    for (const std::string& broken : scene.broken_promises()) ADD_FAILURE() << broken;
    for (const auto& [name, count] : appearances.counts())
        EXPECT_EQ(count, 1) << name << " was published more than once";
    EXPECT_EQ(appearances.counts().size(), scene.good_outputs().size());
}

TEST(BatchChaos, TwoRunnersKilledAtRandomDoEverythingOnce) {
    BatchScene scene;
    const int jobs = write_jobs(scene);
    const AppearanceCounter appearances(scene / "out");
    StatusWatch watch(scene);
    std::mt19937 random(20261122);
    const auto runner = [&] {
        return std::make_unique<Background>(
            scene.words("run", {"--workers", "2", "--threads", "1", "--backoff", "0.2", "--quiet"}));
    };
    std::unique_ptr<Background> runners[2] = {runner(), runner()};
    const auto both_ended = [&] { return runners[0]->ended() && runners[1]->ended(); };
    const int kills = jobs / 4;
    int killed = 0;
    for (; killed < kills; ++killed) {
        // By progress and not by the clock: fast runners are killed as often as slow ones.
        const auto due = appearances.counts().size() + random() % 3;
        while (appearances.counts().size() < due && !both_ended()) {
        }
        std::this_thread::sleep_for(milliseconds(random() % 300));
        if (both_ended()) break;
        auto& victim = runners[random() % 2];
        victim->kill_now();
        victim = runner();
    }
    EXPECT_GT(killed, 3) << "it was over too soon to prove anything";
    const auto result = scene.run("run", {"--workers", "2", "--threads", "1"}, within(std::chrono::minutes(8)));
    for (auto& other : runners) {
        const auto limit = Clock::now() + std::chrono::seconds(30);
        while (!other->ended() && Clock::now() < limit) std::this_thread::sleep_for(milliseconds(50));
        EXPECT_TRUE(other->ended()) << "a runner goes on although nothing is left to do";
    }
    EXPECT_EQ(result.exit_code, 65) << result.summary();
    expect_every_promise(scene, appearances, watch);
    RecordProperty("kills", killed);
    RecordProperty("looks", watch.looks());
}

/// Slurm on this host, for one test. `why_not()`: it cannot be had.
class Slurm {
public:
    Slurm() : folder_("/var/tmp") {
        if (::geteuid() != 0) {
            why_not_ = "only root can bring up a Slurm of its own";
            return;
        }
        for (const char* program : {"/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged", "/usr/bin/sbatch"})
            if (!fs::exists(program)) why_not_ = std::string(program) + " is not installed";
        if (!why_not_.empty()) return;
        // munge's user enters it, and munge wants everybody to be able to.
        fs::permissions(folder_.path(), fs::perms(0755));
        const std::string port = std::to_string(20000 + ::getpid() % 20000);
        setenv("SLURM_TEST_ROOT", (folder_ / "slurm").c_str(), 1);
        setenv("SLURM_TEST_PORT", port.c_str(), 1);
        setenv("SLURM_TEST_ARRAY", "24", 1);  // a batch becomes several arrays
        setenv("SLURM_CONF", (folder_ / "slurm/slurm.conf").c_str(), 1);
        const auto up = run({script(), "up"}, within(std::chrono::seconds(60)));
        if (up.ok()) return;
        (void)run({script(), "down"}, within(std::chrono::seconds(30)));
        why_not_ = "Slurm is installed, and does not come up on this machine: " + up.err;  // it wants /sys, for one
    }
    Slurm(const Slurm&) = delete;
    Slurm& operator=(const Slurm&) = delete;
    ~Slurm() {
        if (why_not_.empty()) (void)run({script(), "down"}, within(std::chrono::seconds(30)));
        for (const char* name : {"SLURM_TEST_ROOT", "SLURM_TEST_PORT", "SLURM_TEST_ARRAY", "SLURM_CONF"})
            unsetenv(name);
    }

    [[nodiscard]] const std::string& why_not() const { return why_not_; }
    /// Ids of tasks ("3_17") in this state, and of waiting ones all.
    [[nodiscard]] static std::vector<std::string> tasks(const std::string& state) {
        const auto result = run({"squeue", "-h", "-r", "-t", state, "-o", "%i"}, within(std::chrono::seconds(30)));
        std::vector<std::string> ids;
        std::istringstream lines(result.out);
        for (std::string id; std::getline(lines, id);) ids.push_back(id);
        return ids;
    }

private:
    static std::string script() { return (source_root() / "tests/support/slurm_one_host").string(); }
    TempDir folder_;
    std::string why_not_;
};

TEST(BatchChaos, ASlurmArrayWithKilledTasksDoesEverythingOnce) {
    const Slurm slurm;
    if (!slurm.why_not().empty()) GTEST_SKIP() << slurm.why_not();
    BatchScene scene;
    const int jobs = write_jobs(scene);
    const AppearanceCounter appearances(scene / "out");
    StatusWatch watch(scene);
    std::mt19937 random(1);
    int submissions = 0;
    int killed = 0;
    int requeued = 0;
    const int attacks = std::max(2, jobs / 20);  // of each kind
    for (bool open = true; open && submissions < 6; ++submissions) {
        const auto submitted =
            scene.run("submit", {"--slurm", "--threads", "1", "--time", "10", "--backoff", "0.1", "--lease", "10"});
        ASSERT_TRUE(submitted.ok()) << submitted.summary();
        const auto limit = Clock::now() + std::chrono::minutes(8);
        for (;;) {
            ASSERT_LT(Clock::now(), limit) << "the array does not end";
            const auto running = Slurm::tasks("R");
            if (running.empty() && Slurm::tasks("PD,R,CG,CF").empty()) break;
            if (!running.empty() && killed < attacks) {
                // The task's own process, and with it the dub that it runs. Slurm notes a failed task.
                const Json now = scene.status();
                std::vector<pid_t> processes;
                for (const Json& job : now["jobs"])
                    if (job["state"] == "running") processes.push_back(job["pid"].get<pid_t>());
                if (!processes.empty()) {
                    kill(processes[random() % processes.size()], SIGKILL);
                    ++killed;
                }
            } else if (!running.empty() && requeued < attacks) {
                const std::string& task = running[random() % running.size()];
                if (run({"scontrol", "requeue", task}, within(std::chrono::seconds(30))).ok()) ++requeued;
            }
            std::this_thread::sleep_for(milliseconds(150));
        }
        const Json counts = scene.status()["counts"];
        open = counts["done"].get<int>() + counts["failed"].get<int>() < jobs;
    }
    EXPECT_GT(killed, 0);
    EXPECT_GT(requeued, 0);
    // What killed tasks left behind is put away by whoever comes next.
    EXPECT_EQ(scene.run("run", {"--workers", "1"}).exit_code, 65);
    expect_every_promise(scene, appearances, watch);
    RecordProperty("submissions", submissions);
    RecordProperty("killed", killed);
    RecordProperty("requeued", requeued);
    RecordProperty("looks", watch.looks());
    std::printf("%d jobs, %d submissions, %d killed, %d requeued, %d looks at the status\n", jobs, submissions, killed,
                requeued, watch.looks());
}

}  // namespace
}  // namespace omnisync::test
