#include "ops/qk_norm_rope.h"

#include <ATen/Parallel.h>

#include "omnisync/error.h"
#include "ops/stream.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "qk norm and rotation";

kernels::HeadRows part_of(const char* name, const at::Tensor& x, const at::Tensor& like) {
    if (!x.defined()) return {};
    check_plain(kName, name, x);
    check_writable(kName, name, x);
    check_rows(kName, name, x);
    check_beside(kName, name, x, like);
    if (x.dim() != 4) refuse(kName, name, x, "be [B, T, heads, head_dim]");
    if (x.sizes() != like.sizes() || x.scalar_type() != like.scalar_type())
        refuse(kName, name, x, concat("be as q: ", like.toString(), " of sizes ", like.sizes()));
    return {x.mutable_data_ptr(), x.stride(0), x.stride(1), x.stride(2), nullptr};
}

void add_gain(kernels::QkNormRope& job, const char* name, const at::Tensor& gain, const at::Tensor& q,
              kernels::HeadRows& part, bool first) {
    if (!gain.defined()) return;
    check_plain(kName, name, gain);
    check_rows(kName, name, gain);
    check_beside(kName, name, gain, q);
    if (gain.dim() != 1 || (gain.size(0) != job.head_dim && gain.size(0) != job.heads * job.head_dim))
        refuse(kName, name, gain, concat("be a row of ", job.head_dim, " or ", job.heads * job.head_dim));
    const kernels::Type type = type_of(kName, name, gain);
    const std::int64_t stride = gain.size(0) == job.head_dim ? 0 : job.head_dim;
    if (!first && (type != job.gain_type || stride != job.gain_head_stride))
        refuse(kName, name, gain, "have the type and size of q's gain");
    job.gain_type = type;
    job.gain_head_stride = stride;
    part.gain = gain.const_data_ptr();
}

void check_rotor(const char* name, const at::Tensor& rotor, const kernels::QkNormRope& job, const at::Tensor& q,
                 at::ScalarType type) {
    check_plain(kName, name, rotor);
    check_rows(kName, name, rotor);
    check_beside(kName, name, rotor, q);
    if (rotor.scalar_type() != type || rotor.dim() != 2 || rotor.size(0) != job.tokens ||
        2 * rotor.size(1) != job.head_dim)
        refuse(kName, name, rotor, concat("be ", c10::toString(type), " [", job.tokens, ", ", job.head_dim, " / 2]"));
}

void add_rotation(kernels::QkNormRope& job, const QkNormRope& given) {
    job.rotation = given.rotation;
    if (job.rotation == kernels::Rotation::none) return;
    if (job.rotation == kernels::Rotation::pairs) {
        check_rotor("cos", given.cos, job, given.q, at::kComplexFloat);
        job.cos = static_cast<const float*>(given.cos.const_data_ptr());
        job.sin = job.cos + 1;
        job.rotor_stride = 2 * given.cos.stride(0);
        return;
    }
    check_rotor("cos", given.cos, job, given.q, at::kFloat);
    check_rotor("sin", given.sin, job, given.q, at::kFloat);
    if (given.sin.stride(0) != given.cos.stride(0)) refuse(kName, "sin", given.sin, "have the strides of cos");
    job.cos = given.cos.const_data_ptr<float>();
    job.sin = given.sin.const_data_ptr<float>();
    job.rotor_stride = given.cos.stride(0);
}

kernels::QkNormRope describe(const QkNormRope& given) {
    kernels::QkNormRope job;
    job.q = part_of("q", given.q, given.q);
    job.k = part_of("k", given.k, given.q);
    job.items = given.q.size(0);
    job.tokens = given.q.size(1);
    job.heads = given.q.size(2);
    job.head_dim = given.q.size(3);
    job.type = type_of(kName, "q", given.q);
    job.norm = given.norm;
    require(given.epsilon > 0, ExitCode::internal, kName, ": epsilon must be above 0, not ", given.epsilon);
    job.epsilon = static_cast<float>(given.epsilon);
    add_gain(job, "q_gain", given.q_gain, given.q, job.q, true);
    add_gain(job, "k_gain", given.k_gain, given.q, job.k, !given.q_gain.defined());
    add_rotation(job, given);
    return job;
}

}  // namespace

void qk_norm_rope(const QkNormRope& given) {
    require(given.q.defined(), ExitCode::internal, kName, ": q is undefined");
    const kernels::QkNormRope job = describe(given);
    if (given.q.numel() == 0) return;
    if (given.q.is_cuda()) return kernels::qk_norm_rope_cuda(job, current_stream(given.q));
    const kernels::Simd simd = kernels::best_simd();
    at::parallel_for(0, kernels::qk_norm_rope_tasks(job), tasks_per_thread(2 * job.heads * job.head_dim),
                     [&](std::int64_t begin, std::int64_t end) {
                         kernels::qk_norm_rope_cpu(job, {begin, end}, simd);
                     });
}

}  // namespace omnisync::ops
