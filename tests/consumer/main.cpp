// A program of somebody else: counts the frames of a video through omnisync's public headers.
#include <omnisync/dubber.h>
#include <omnisync/error.h>
#include <omnisync/media.h>

#include <iostream>

int main(int count, char** words) {
    try {
        if (count != 2) omnisync::fail(omnisync::ExitCode::usage, "usage: consumer VIDEO");
        const auto video = omnisync::open_video(words[1]);
        while (const auto frame = video->next()) {
            if (omnisync::stop_requested()) return static_cast<int>(omnisync::ExitCode::interrupted);
        }
        std::cout << video->report().frames << " frames of " << video->info().width << 'x' << video->info().height
                  << '\n';
        return 0;
    } catch (const omnisync::Error& error) {
        std::cerr << "consumer: " << error.what() << '\n';
        return static_cast<int>(error.code());
    }
}
