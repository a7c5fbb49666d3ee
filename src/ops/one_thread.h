// Operations of the calling thread on one thread, while it lives: sums then have one order, whatever the machine.
#pragma once

namespace omnisync::ops {

class OneThread {
public:
    OneThread();
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;
    ~OneThread();

private:
    int before_;
};

}  // namespace omnisync::ops
