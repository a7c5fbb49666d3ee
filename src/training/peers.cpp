#include "training/peers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <system_error>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::training {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kGreeting = 0x6f6d6e6973796e63;  // "omnisync": no stranger talks to us by chance

[[noreturn]] void lost(int rank) {
    throw Error(ExitCode::interrupted, concat("process ", rank, " of this training run has gone"),
                "run all of them again with --resume");
}

std::optional<int> number(const char* text, const char* name, int least, int most) {
    if (text == nullptr) return std::nullopt;
    const auto value = parse_integer(text);
    require(value && *value >= least && *value <= most, ExitCode::usage, name, "='", text, "' is not in ", least,
            " .. ", most);
    return static_cast<int>(*value);
}

/// The first host of Slurm's list: "gpu[07-09,12],login" -> "gpu07".
std::string first_host(const std::string& list) {
    const std::size_t end = list.find_first_of(",[");
    if (end == std::string::npos || list[end] == ',') return list.substr(0, end);
    const std::size_t stop = list.find_first_of("-,]", end);
    return list.substr(0, end) + list.substr(end + 1, stop - end - 1);
}

std::uint16_t port_of(int listener) {
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin6_port);
}

std::string reason() {
    return std::system_category().message(errno);
}

}  // namespace

Launch launch_of(const std::function<const char*(const char*)>& variable) {
    constexpr int kMost = 1 << 16;
    constexpr std::array kTorchrun{"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"};
    std::string absent;
    for (const char* name : kTorchrun)
        if (variable(name) == nullptr) absent = name;
    Launch launch;
    if (absent.empty()) {
        launch.count = *number(variable("WORLD_SIZE"), "WORLD_SIZE", 1, kMost);
        launch.rank = *number(variable("RANK"), "RANK", 0, launch.count - 1);
        launch.local_rank = number(variable("LOCAL_RANK"), "LOCAL_RANK", 0, kMost).value_or(0);
        launch.host = variable("MASTER_ADDR");
        launch.port = *number(variable("MASTER_PORT"), "MASTER_PORT", 1, 65535);
        const char* const agent = variable("TORCHELASTIC_USE_AGENT_STORE");
        launch.served = agent != nullptr && std::string(agent) == "True";
        if (const char* const attempt = variable("TORCHELASTIC_RESTART_COUNT")) launch.attempt = attempt;
        return launch;
    }
    require(variable("RANK") == nullptr && variable("WORLD_SIZE") == nullptr, ExitCode::usage, absent,
            " is not set beside RANK or WORLD_SIZE: a run of several processes needs RANK, WORLD_SIZE, MASTER_ADDR and "
            "MASTER_PORT");
    const auto tasks = number(variable("SLURM_STEP_NUM_TASKS"), "SLURM_STEP_NUM_TASKS", 1, kMost);
    const char* const hosts = variable("SLURM_JOB_NODELIST");
    if (!tasks || *tasks == 1 || variable("SLURM_PROCID") == nullptr || hosts == nullptr) return launch;
    launch.count = *tasks;
    launch.rank = *number(variable("SLURM_PROCID"), "SLURM_PROCID", 0, launch.count - 1);
    launch.local_rank = number(variable("SLURM_LOCALID"), "SLURM_LOCALID", 0, kMost).value_or(0);
    launch.host = first_host(hosts);
    const char* const job = variable("SLURM_JOB_ID");
    launch.port = 20'000 + static_cast<int>(parse_integer(job == nullptr ? "" : job).value_or(0) % 20'000);
    return launch;
}

/// A connected socket. What fails on it is the other process's end.
struct Peers::Line {
    int socket = -1;
    int other = 0;

    Line() = default;
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() {
        if (socket >= 0) close(socket);
    }
    void open(int connected, int rank) {
        socket = connected;
        other = rank;
        const int yes = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);  // a machine that has gone says nothing
    }
    /// The rank that a guest says it has; 0 for a stranger, who may say anything or nothing.
    [[nodiscard]] std::int64_t greeting() const {
        const timeval soon{10, 0}, never{};
        std::array<std::uint64_t, 2> hello{};
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
        const ssize_t got = recv(socket, hello.data(), sizeof hello, MSG_WAITALL);
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never);
        return got == sizeof hello && hello[0] == kGreeting ? static_cast<std::int64_t>(hello[1]) : 0;
    }
    void write(const void* data, std::size_t bytes) const {
        for (auto from = static_cast<const char*>(data); bytes > 0;) {
            const ssize_t sent = send(socket, from, bytes, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent <= 0) lost(other);
            from += sent, bytes -= static_cast<std::size_t>(sent);
        }
    }
    void read(void* data, std::size_t bytes) const {
        for (auto to = static_cast<char*>(data); bytes > 0;) {
            const ssize_t got = recv(socket, to, bytes, 0);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) lost(other);
            to += got, bytes -= static_cast<std::size_t>(got);
        }
    }
};

namespace {

/// Closes a socket that listens.
class Listener {
public:
    explicit Listener(int others) : socket_(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int no = 0;
        sockaddr_in6 any{};
        any.sin6_family = AF_INET6;
        const bool listens = socket_ >= 0 && setsockopt(socket_, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0 &&
                             bind(socket_, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 &&
                             listen(socket_, others) == 0;
        require(listens, ExitCode::unavailable, "cannot listen for the other processes of this run: ", reason());
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { close(socket_); }

    [[nodiscard]] std::uint16_t port() const { return port_of(socket_); }
    [[nodiscard]] int accept_one(milliseconds patience) const {
        pollfd waiting{socket_, POLLIN, 0};
        require(poll(&waiting, 1, static_cast<int>(patience.count())) == 1, ExitCode::unavailable,
                "not all processes of this training run have come");
        const int connected = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
        require(connected >= 0, ExitCode::unavailable, "a process of this run cannot be reached: ", reason());
        return connected;
    }

private:
    int socket_;
};

int connect_to(const std::string& host, const std::string& port) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
    require(code == 0, ExitCode::unavailable, "'", host, "': ", gai_strerror(code));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        const int connected = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (connected >= 0 && connect(connected, at->ai_addr, at->ai_addrlen) == 0) return connected;
        if (connected >= 0) close(connected);
    }
    fail(ExitCode::unavailable, "process 0 of this run at '", host, "' cannot be reached: ", reason());
}

c10::intrusive_ptr<c10d::Store> store_of(const Launch& launch, milliseconds patience) {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(launch.port);
    options.isServer = launch.rank == 0 && !launch.served;
    options.waitWorkers = false;
    options.timeout = patience;
    try {
        return c10::make_intrusive<c10d::PrefixStore>("omnisync/" + launch.attempt,
                                                      c10::make_intrusive<c10d::TCPStore>(launch.host, options));
    } catch (const c10::Error& error) {
        fail(ExitCode::unavailable, "the processes of this run cannot meet at '", launch.host, ":", launch.port,
             "': ", error.what_without_backtrace());
    }
}

std::span<float> values_of(const at::Tensor& tensor) {
    return {tensor.mutable_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

Peers::Peers(const Launch& launch, double patience_s)
    : rank_(launch.rank), count_(launch.count), lines_(new Line[static_cast<std::size_t>(std::max(1, count_ - 1))]) {
    if (count_ == 1) return;
    const milliseconds patience(static_cast<std::int64_t>(patience_s * 1000));
    const auto store = store_of(launch, patience);
    if (rank_ > 0) {
        try {
            lines_[0].open(connect_to(launch.host, store->get_to_str({"port"})), 0);
        } catch (const c10::Error&) {
            fail(ExitCode::unavailable, "process 0 of this training run has not come");
        }
        const std::array<std::uint64_t, 2> hello{kGreeting, static_cast<std::uint64_t>(rank_)};
        lines_[0].write(hello.data(), sizeof hello);
        char heard = 0;  // so that the store outlives everybody's question
        lines_[0].read(&heard, 1);
        return;
    }
    const Listener listener(count_);
    store->set(std::string("port"), std::to_string(listener.port()));
    for (int missing = count_ - 1; missing > 0;) {
        Line guest;
        guest.open(listener.accept_one(patience), -1);
        const std::int64_t rank = guest.greeting();
        if (rank < 1 || rank >= count_ || lines_[rank - 1].socket >= 0) continue;
        lines_[rank - 1].open(std::exchange(guest.socket, -1), static_cast<int>(rank));
        --missing;
    }
    for (int i = 0; i + 1 < count_; ++i) lines_[i].write("!", 1);
}

Peers::~Peers() = default;

void Peers::average(const at::Tensor& values) {
    if (count_ == 1) return;
    const std::span<float> mine = values_of(values);
    const std::uint64_t length = mine.size();
    if (rank_ > 0) {
        lines_[0].write(&length, sizeof length);
        lines_[0].write(mine.data(), mine.size_bytes());
        return lines_[0].read(mine.data(), mine.size_bytes());
    }
    const at::Tensor theirs = at::empty_like(values);
    for (int i = 0; i + 1 < count_; ++i) {
        std::uint64_t announced = 0;
        lines_[i].read(&announced, sizeof announced);
        require(announced == length, ExitCode::usage, "process ", i + 1,
                " of this run trains something else: start all of them with the same options");
        lines_[i].read(values_of(theirs).data(), mine.size_bytes());
        values.add_(theirs);
    }
    values.div_(static_cast<double>(count_));
    for (int i = 0; i + 1 < count_; ++i) lines_[i].write(mine.data(), mine.size_bytes());
}

double Peers::mean(double value) {
    const at::Tensor one = at::full({1}, value, at::kFloat);
    average(one);
    return one.item<double>();
}

bool Peers::any(bool value) {
    return mean(value ? 1 : 0) > 0;
}

void Peers::require_same(const std::string& what) {
    const std::size_t hash = std::hash<std::string>{}(what);
    at::Tensor parts = at::empty({4}, at::kFloat);  // 16 bits each, so that sums are exact
    for (int i = 0; i < 4; ++i) parts[i] = static_cast<double>(hash >> (16 * i) & 0xffff);
    const at::Tensor mine = parts.clone();
    average(parts);
    require(
        at::equal(mine, parts), ExitCode::usage,
        "the processes of this training run were asked for different things, or not all of them see the checkpoint");
}

std::int64_t turn_of(const Peers* peers, std::int64_t step) {
    return peers == nullptr ? step : step * peers->count() + peers->rank();
}

}  // namespace omnisync::training
