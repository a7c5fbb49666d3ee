#include "ops/one_thread.h"

#include <ATen/Parallel.h>

namespace omnisync::ops {

OneThread::OneThread() : before_(at::get_num_threads()) {
    at::set_num_threads(1);
}
OneThread::~OneThread() {
    at::set_num_threads(before_);
}

}  // namespace omnisync::ops
