#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// Says of one sample's bytes when a stop string may be complete. Whoever decodes the bytes decides; nothing is missed, because a stop
// string is found in decoded text only where its own bytes are. The sign for bytes that are no text is the one exception: with
// it in a stop string every token may be the last.
class StopWatch {
public:
    explicit StopWatch(std::vector<std::string> stops_ = {}) : stops(std::move(stops_)) {
        for (const std::string & stop : stops) {
            longest = std::max(longest, stop.size());
            always  = always || stop.find("\xEF\xBF\xBD") != std::string::npos; // U+FFFD
        }
    }

    // Whether one may be complete with these bytes, which follow those of the last call.
    bool may_end(const std::string & bytes) {
        if (stops.empty()) return false;
        const size_t before = tail.size();
        tail += bytes;
        const bool found = std::any_of(stops.begin(), stops.end(), [&](const std::string & stop) {
            const size_t from = before < stop.size() ? 0 : before - stop.size() + 1; // what ends before these bytes was told before
            return tail.find(stop, from) != std::string::npos;
        });
        if (tail.size() >= longest) tail.erase(0, tail.size() - longest + 1);
        return always || found;
    }

private:
    std::vector<std::string> stops;
    std::string tail; // what may be the beginning of the longest of them
    size_t longest = 0;
    bool always    = false;
};
