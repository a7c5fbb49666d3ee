// What a file of weights has against what a model needs: all of it at once, by names and shapes alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "weights/parameters.h"
#include "weights/safetensors.h"

namespace omnisync::weights {

struct Inventory {
    std::vector<std::string> missing;    ///< names
    std::vector<std::string> misshapen;  ///< "NAME has shape [3], the model needs [4]"
    std::vector<std::string> surplus;    ///< names that the model does not ask for and that are not known extras
    std::int64_t tensors = 0;            ///< in the file
    std::map<std::string, std::uint64_t> bytes_of_type;  ///< of the file, by type as safetensors names it
    std::int64_t values = 0;                             ///< numbers that the model asks for

    [[nodiscard]] bool fits() const { return missing.empty() && misshapen.empty() && surplus.empty(); }
    [[nodiscard]] std::uint64_t bytes() const;
    /// "2 tensors are missing: 'a', 'b'; 1 has another shape: ..."; empty when it fits.
    [[nodiscard]] std::string faults() const;
};

/// Asks a survey of `file` for all that a model needs: usually constructs the model on it.
using Build = std::function<void(Parameters& survey)>;

/// `extras`: beginnings of names that may be there although the model does not ask for them. Reads no numbers.
[[nodiscard]] Inventory take_inventory(const TensorFile& file, const Build& build,
                                       const std::vector<std::string>& extras = {});

/// Throws Error(bad_data) with all faults, naming `origin`, unless it fits.
void require_fit(const Inventory& inventory, const std::string& origin);

}  // namespace omnisync::weights
