#include "training/trainer.h"

#include <ATen/TensorOperators.h>

#include <utility>

#include "training/peers.h"

namespace omnisync::training {

Trainer::Trainer(std::string model, Optimiser optimiser, Peers* peers)
    : model_(std::move(model)), optimiser_(std::move(optimiser)), peers_(peers) {}

double Trainer::step() {
    const std::vector<at::Tensor> parts = losses(turn_of(peers_, steps_done()));
    at::Tensor sum = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) sum = sum + parts[i];
    sum.backward();
    optimiser_.step(peers_);
    double loss = 0;
    for (const at::Tensor& part : parts) loss += part.item<double>();
    return loss;
}

weights::Parameters Trainer::averaged() const {
    return {optimiser_.averaged(), "the run's average"};
}

std::string Trainer::checkpoint_format() const {
    return "omnisync-" + model_ + "-checkpoint-1";
}

void Trainer::save_checkpoint(const std::string& path, const Settings& settings) const {
    save_state(optimiser_, checkpoint_format(), settings, path);
}

void Trainer::load_checkpoint(const std::string& path, const Settings& settings) {
    load_state(optimiser_, checkpoint_format(), settings, path);
}

void Trainer::save_model(const std::string& path, bool overwrite) const {
    save_weights(optimiser_, "omnisync-" + model_ + "-1", path, overwrite);
}

}  // namespace omnisync::training
