#include "weights/inventory.h"

#include <algorithm>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::weights {
namespace {

constexpr std::size_t kMostSaid = 6;

void say(std::string& text, const std::vector<std::string>& names, const char* what) {
    if (names.empty()) return;
    text += concat(text.empty() ? "" : "; ", names.size(), names.size() == 1 ? " tensor " : " tensors ", what, ": ");
    for (std::size_t i = 0; i < std::min(names.size(), kMostSaid); ++i)
        text += (i > 0 ? ", '" : "'") + one_line(names[i]) + "'";
    if (names.size() > kMostSaid) text += concat(" and ", names.size() - kMostSaid, " more");
}

}  // namespace

std::uint64_t Inventory::bytes() const {
    std::uint64_t total = 0;
    for (const auto& [type, count] : bytes_of_type) total += count;
    return total;
}

std::string Inventory::faults() const {
    std::string text;
    say(text, missing, "missing");
    say(text, misshapen, "of another shape");
    say(text, surplus, "that the model does not know");
    return text;
}

Inventory take_inventory(const TensorFile& file, const Build& build, const std::vector<std::string>& extras) {
    Inventory found;
    for (const auto& [name, tensor] : file.tensors) {
        ++found.tensors;
        found.bytes_of_type[stored_type_of(tensor.scalar_type())] += tensor.nbytes();
    }
    Parameters survey = Parameters::survey(file.tensors);
    build(survey);
    for (const Parameters::Fault& fault : survey.faults())
        if (fault.what.empty())
            found.missing.push_back(fault.name);
        else
            found.misshapen.push_back(fault.name + " " + fault.what);
    for (const std::string& name : survey.surplus())
        if (std::none_of(extras.begin(), extras.end(),
                         [&](const std::string& extra) { return name.starts_with(extra); }))
            found.surplus.push_back(name);
    for (const std::string& name : survey.asked())
        if (const auto tensor = file.tensors.find(name); tensor != file.tensors.end())
            found.values += tensor->second.numel();
    return found;
}

void require_fit(const Inventory& inventory, const std::string& origin) {
    if (!inventory.fits())
        throw Error(ExitCode::bad_data, concat(origin, ": these are not the model's weights: ", inventory.faults()),
                    "is it the right file, whole, of the right version?");
}

}  // namespace omnisync::weights
