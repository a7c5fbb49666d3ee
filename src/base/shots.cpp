#include "omnisync/shots.h"

namespace omnisync {

std::string_view name(Transition transition) {
    switch (transition) {
        case Transition::cut:
            return "cut";
        case Transition::fade:
            return "fade";
        case Transition::dissolve:
            return "dissolve";
    }
    return "cut";
}

}  // namespace omnisync
