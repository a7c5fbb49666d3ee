// Processes that train together: how they find one another, and that their sums are right. Threads stand for processes
// here; tests/e2e/train_test.cpp has real ones.
#include "training/peers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "omnisync/error.h"
#include "training/optimiser.h"

namespace omnisync::training {
namespace {

int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    close(socket);
    return ntohs(address.sin_port);
}

/// Runs `body` as each of `count` processes would; the codes of their errors, done where there was none.
std::vector<ExitCode> as_processes(int count, const std::function<void(Peers&)>& body) {
    std::vector<ExitCode> codes(static_cast<std::size_t>(count), ExitCode::done);
    std::vector<std::thread> threads;
    const int port = free_port();
    for (int rank = 0; rank < count; ++rank)
        threads.emplace_back([&, rank] {
            try {
                Peers peers({.rank = rank, .count = count, .local_rank = rank, .host = "localhost", .port = port}, 30);
                body(peers);
            } catch (const Error& error) {
                codes[static_cast<std::size_t>(rank)] = error.code();
            }
        });
    for (std::thread& thread : threads) thread.join();
    return codes;
}

Launch launch_from(const std::map<std::string, std::string>& variables) {
    return launch_of([&](const char* name) -> const char* {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    });
}

TEST(Peers, AverageIsTheSameForAllAndRight) {
    const int count = 3;
    std::vector<at::Tensor> results(count);
    const auto codes = as_processes(count, [&](Peers& peers) {
        at::Tensor values = at::arange(100'001, at::kFloat) * static_cast<double>(peers.rank() + 1);
        peers.average(values);
        results[static_cast<std::size_t>(peers.rank())] = values;
        EXPECT_DOUBLE_EQ(peers.mean(peers.rank() * 3), 3);
        EXPECT_TRUE(peers.any(peers.rank() == 2));
        EXPECT_FALSE(peers.any(false));
    });
    EXPECT_EQ(codes, std::vector<ExitCode>(count, ExitCode::done));
    EXPECT_TRUE(at::equal(results[0], at::arange(100'001, at::kFloat) * 2.0));
    EXPECT_TRUE(at::equal(results[0], results[1]));
    EXPECT_TRUE(at::equal(results[0], results[2]));
}

TEST(Peers, OneIsEnough) {
    EXPECT_EQ(as_processes(1,
                           [](Peers& peers) {
                               EXPECT_DOUBLE_EQ(peers.mean(2.5), 2.5);
                               EXPECT_TRUE(peers.any(true));
                           }),
              std::vector<ExitCode>{ExitCode::done});
}

TEST(Peers, UnlikeLengthsAreRefused) {
    const auto codes =
        as_processes(2, [](Peers& peers) { peers.average(at::full({peers.rank() + 1}, 1, at::kFloat)); });
    EXPECT_EQ(codes[0], ExitCode::usage);
    EXPECT_EQ(codes[1], ExitCode::interrupted);
}

TEST(Peers, WhoGoesIsMissed) {
    const auto codes = as_processes(2, [](Peers& peers) {
        if (peers.rank() == 0) static_cast<void>(peers.mean(1));
    });
    EXPECT_EQ(codes[0], ExitCode::interrupted);
}

TEST(Peers, WhoDoesNotComeIsNotWaitedForForever) {
    try {
        const Peers alone({.rank = 0, .count = 2, .local_rank = 0, .host = "localhost", .port = free_port()}, 0.2);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::unavailable);
    }
}

TEST(Peers, OptimiserStepsAlongTheMeanGradient) {
    const auto stepped = [](double gradient, Peers* peers) {
        weights::Parameters parameters = weights::Parameters::fresh(1);
        parameters.get("matrix", {5, 7});
        Optimiser optimiser(parameters, {.learning_rate = 0.1, .warm_up = 1});
        const at::Tensor value = parameters.tensors().at("matrix");
        value.mutable_grad() = at::full({5, 7}, gradient, at::kFloat);
        optimiser.step(peers);
        return value.detach().clone();
    };
    std::vector<at::Tensor> results(2);
    as_processes(2, [&](Peers& peers) {
        results[static_cast<std::size_t>(peers.rank())] = stepped(peers.rank() == 0 ? -0.25 : 0.75, &peers);
    });
    const at::Tensor expected = stepped(0.25, nullptr);
    EXPECT_TRUE(at::equal(results[0], expected));
    EXPECT_TRUE(at::equal(results[1], expected));
}

TEST(Peers, PlaceIsReadFromTorchrunOrSlurm) {
    EXPECT_EQ(launch_from({}).count, 1);
    const Launch torchrun = launch_from({{"RANK", "3"},
                                         {"WORLD_SIZE", "4"},
                                         {"LOCAL_RANK", "1"},
                                         {"MASTER_ADDR", "node7"},
                                         {"MASTER_PORT", "29500"},
                                         {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                         {"TORCHELASTIC_RESTART_COUNT", "2"},
                                         {"SLURM_STEP_NUM_TASKS", "9"}});
    EXPECT_EQ(torchrun.rank, 3);
    EXPECT_EQ(torchrun.count, 4);
    EXPECT_EQ(torchrun.local_rank, 1);
    EXPECT_EQ(torchrun.host, "node7");
    EXPECT_EQ(torchrun.port, 29500);
    EXPECT_TRUE(torchrun.served);
    EXPECT_EQ(torchrun.attempt, "2");
    std::map<std::string, std::string> slurm{{"SLURM_PROCID", "1"},
                                             {"SLURM_STEP_NUM_TASKS", "2"},
                                             {"SLURM_LOCALID", "1"},
                                             {"SLURM_JOB_ID", "50123"},
                                             {"SLURM_JOB_NODELIST", "gpu[07-09,12],login"}};
    EXPECT_EQ(launch_from(slurm).rank, 1);
    EXPECT_EQ(launch_from(slurm).host, "gpu07");
    EXPECT_EQ(launch_from(slurm).port, 30'123);
    slurm["SLURM_JOB_NODELIST"] = "a,b";
    EXPECT_EQ(launch_from(slurm).host, "a");
    slurm.erase("SLURM_STEP_NUM_TASKS");  // a batch script's own process is no task of srun's
    EXPECT_EQ(launch_from(slurm).count, 1);
}

TEST(Peers, HalfAPlaceIsRefused) {
    for (const auto& variables : std::vector<std::map<std::string, std::string>>{
             {{"RANK", "0"}},
             {{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_ADDR", "a"}},
             {{"WORLD_SIZE", "2"}, {"RANK", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}},
             {{"WORLD_SIZE", "x"}, {"RANK", "0"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}}})
        EXPECT_THROW(static_cast<void>(launch_from(variables)), Error);
}

}  // namespace
}  // namespace omnisync::training
