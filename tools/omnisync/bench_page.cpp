#include "bench_page.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/read_whole.h"
#include "base/text.h"
#include "html_page.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStyle = R"css(
.pair { border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; margin: 1rem 0; background: var(--panel); }
.pair.current { outline: 2px solid var(--c0); }
.pair h2 { margin: 0 0 .25rem; }
.films { display: flex; gap: .75rem; flex-wrap: wrap; }
.films figure { flex: 1 1 18rem; min-width: 0; margin: 0; }
video { width: 100%; max-height: 48vh; background: #000; display: block; }
.controls { display: flex; gap: .75rem; align-items: center; margin-top: .5rem; }
.controls input { flex: 1; } .controls output { font-variant-numeric: tabular-nums; min-width: 9em; }
button { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--line); border-radius: .3rem;
         padding: .15rem .7rem; cursor: pointer; }
kbd { border: 1px solid var(--line); border-radius: .2rem; padding: 0 .3em; font-size: .85em; }
)css";

constexpr std::string_view kScript = R"js(
'use strict';
// An embedded film becomes an object URL when it is first needed; a page of hundreds would not fit into memory at once.
const urls = new Map();
function load(video) {
    if (video.src) return;
    const id = video.dataset.film;
    if (!id) { video.src = video.dataset.url; return; }
    if (!urls.has(id)) {
        const text = atob(document.getElementById(id).textContent);
        const bytes = Uint8Array.from(text, letter => letter.charCodeAt(0));
        urls.set(id, URL.createObjectURL(new Blob([bytes], {type: video.dataset.type})));
    }
    video.src = urls.get(id);
}
class Pair {
    constructor(section) {
        this.section = section;
        this.videos = [...section.querySelectorAll('video')];
        this.leader = this.videos[this.videos.length - 1];
        this.button = section.querySelector('button.play');
        this.sound = section.querySelector('button.sound');
        this.slider = section.querySelector('input');
        this.clock = section.querySelector('output');
        this.heard = this.leader;
        this.button.onclick = () => this.toggle();
        this.sound.onclick = () => this.switchSound();
        this.slider.oninput = () => this.seek(this.slider.value / 1000 * this.length());
        section.addEventListener('pointerdown', () => choose(this));
        section.addEventListener('focusin', () => choose(this));
        for (const video of this.videos) {
            video.addEventListener('error', () => {
                video.parentElement.querySelector('figcaption').textContent += ' \u2013 this browser cannot play it';
                video.parentElement.classList.add('bad');
            });
            video.addEventListener('loadedmetadata', () => this.show());
        }
        this.leader.addEventListener('ended', () => this.pause());
    }
    length() { return Number.isFinite(this.leader.duration) ? this.leader.duration : 0; }
    loadAll() { this.videos.forEach(load); }
    async play() {
        this.loadAll();
        choose(this);
        for (const pair of pairs) if (pair !== this) pair.pause();
        if (this.leader.ended) this.seek(0);
        this.videos.forEach(video => { video.muted = silent || video !== this.heard; });
        this.playing = true;
        this.button.textContent = 'Pause';
        // A film that cannot be played does not keep the other from it.
        await Promise.allSettled(this.videos.map(video => video.play()));
        this.follow();
    }
    pause() {
        this.playing = false;
        this.button.textContent = 'Play';
        this.videos.forEach(video => video.pause());
    }
    toggle() { if (this.playing) this.pause(); else this.play(); }
    switchSound() {
        const next = (this.videos.indexOf(this.heard) + 1) % this.videos.length;
        this.heard = this.videos[next];
        this.sound.textContent = 'Sound: ' + this.heard.dataset.role;
        if (this.playing) this.videos.forEach(video => { video.muted = silent || video !== this.heard; });
    }
    seek(time) {
        this.loadAll();
        const to = Math.min(Math.max(time, 0), Math.max(this.length() - 0.001, 0));
        this.videos.forEach(video => { video.currentTime = to; });
        this.show(to);
    }
    // Each film has a clock of its own: those that drift by more than two pictures are brought back.
    follow() {
        if (!this.playing) return;
        const time = this.leader.currentTime;
        for (const video of this.videos)
            if (video !== this.leader && time < video.duration && Math.abs(video.currentTime - time) > 0.08)
                video.currentTime = time;
        this.show();
        requestAnimationFrame(() => this.follow());
    }
    show(time = this.leader.currentTime) {
        const length = this.length();
        this.clock.textContent = time.toFixed(2) + ' / ' + length.toFixed(2) + ' s';
        this.slider.value = length > 0 ? Math.round(time / length * 1000) : 0;
    }
}
let silent = false;
let current = null;
const pairs = [...document.querySelectorAll('.pair')].filter(one => one.querySelector('video')).map(one => new Pair(one));
function choose(pair) {
    if (current) current.section.classList.remove('current');
    current = pair;
    pair.section.classList.add('current');
}
function go(step) {
    const at = pairs.indexOf(current) + step;
    if (at < 0 || at >= pairs.length) return;
    const playing = current.playing;
    current.pause();
    choose(pairs[at]);
    current.section.scrollIntoView({block: 'center'});
    if (playing) current.play();
}
document.addEventListener('keydown', event => {
    if (!current || event.ctrlKey || event.altKey || event.metaKey) return;
    const time = current.leader.currentTime;
    const actions = {
        ' ': () => current.toggle(), k: () => go(-1), j: () => go(1), s: () => current.switchSound(),
        ArrowLeft: () => current.seek(time - 1), ArrowRight: () => current.seek(time + 1),
        ',': () => { current.pause(); current.seek(time - 0.04); }, '.': () => { current.pause(); current.seek(time + 0.04); },
        Home: () => current.seek(0)
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
});
const near = new IntersectionObserver(entries => {
    for (const entry of entries) if (entry.isIntersecting) load(entry.target);
}, {rootMargin: '200px'});
for (const pair of pairs) pair.videos.forEach(video => near.observe(video));
if (pairs.length > 0) {
    choose(pairs[0]);
    // PAGE#play begins by itself, without sound: browsers allow no other.
    if (location.hash === '#play') { silent = true; pairs[0].play(); }
}
)js";

/// Files that the page plays, and how.
class Films {
public:
    Films(std::string folder, bool embed) : folder_(std::move(folder)), embed_(embed) {}

    /// A <figure> with a player.
    [[nodiscard]] std::string player(const std::string& file, const std::string& role, const std::string& caption) {
        const std::string from = embed_ ? concat("data-film=\"", id_of(file), "\" data-type=\"", type_of(file), "\"")
                                        : concat("data-url=\"", html::relative_url(file, folder_), "\"");
        return concat("<figure><video preload=\"metadata\" playsinline muted data-role=\"", role, "\" ", from,
                      "></video><figcaption>", html::escape(caption), "</figcaption></figure>");
    }
    /// The embedded files themselves; each once, whoever shows it.
    [[nodiscard]] std::string embedded() const {
        std::string out;
        for (std::size_t i = 0; i < files_.size(); ++i) {
            const std::string bytes = read_whole(files_[i]).value_or("");
            out += concat("<script type=\"text/plain\" id=\"film", i, "\">", html::base64(bytes), "</script>\n");
        }
        return out;
    }

private:
    std::string id_of(const std::string& file) {
        auto place = std::find(files_.begin(), files_.end(), file);
        if (place == files_.end()) place = files_.insert(files_.end(), file);
        return concat("film", place - files_.begin());
    }
    static const char* type_of(const std::string& file) {
        return fs::path(file).extension() == ".webm" ? "video/webm" : "video/mp4";
    }

    std::string folder_;
    bool embed_;
    std::vector<std::string> files_;  // in the order in which they are shown
};

struct Shown {
    std::string source;
    std::string result;  ///< empty: there is none
};

Shown shown_of(const BenchRow& row, const fs::path& folder) {
    const BenchRecord& record = row.record;
    const auto place = [&](const std::string& own) { return own.empty() ? "" : (folder / own).string(); };
    Shown shown{record.shown_source.empty() ? row.pair->video : place(record.shown_source), {}};
    std::error_code unknown;
    if (!fs::is_regular_file(shown.source, unknown)) shown.source.clear();
    if (!record.result.empty()) shown.result = place(record.shown_result.empty() ? record.result : record.shown_result);
    return shown;
}

/// Bytes of all files that would be played, each once.
std::uint64_t size_of_all(const BenchResult& result, const fs::path& folder) {
    std::map<std::string, std::uint64_t> sizes;
    for (const BenchRow& row : result.rows) {
        const Shown shown = shown_of(row, folder);
        for (const std::string& file : {shown.source, shown.result}) {
            std::error_code unknown;
            const auto bytes = file.empty() ? 0 : fs::file_size(file, unknown);
            if (!unknown) sizes[file] = bytes;
        }
    }
    std::uint64_t all = 0;
    for (const auto& [file, bytes] : sizes) all += bytes;
    return all;
}

std::string figures_of(const BenchRow& row) {
    const auto text = [](const Json& figure, const char* name) {
        const Json value = figure.value(name, Json(nullptr));
        return value.is_string() ? value.get<std::string>() : "";
    };
    std::vector<std::vector<std::string>> cells;
    for (const auto& [name, figure] : row.record.figures.items()) {
        const auto value = row.figure(name);
        cells.push_back({name, value ? decimal(*value, 4) : "-", text(figure, "unit"), text(figure, "better"),
                         text(figure, "note")});
    }
    if (cells.empty()) return "";
    return "<details><summary>Figures</summary>" + html::table({"figure", "value", "unit", "better", "note"}, cells) +
           "</details>\n";
}

std::string pair_section(const BenchRow& row, const fs::path& folder, Films& films) {
    const BenchRecord& record = row.record;
    std::string out = concat("<section class=\"pair\" tabindex=\"0\"><h2>", html::escape(row.pair->name), "</h2>\n<p>");
    const std::string group = row.pair->group.empty() ? "" : " in the group " + row.pair->group;
    if (!record.done())
        out += concat("<span class=\"bad\">failed</span>", html::escape(group), ": ",
                      html::escape(record.stage + ": " + record.reason));
    else if (row.success())
        out += concat("<span class=\"good\">passes the automatic checks</span>", html::escape(group));
    else
        out += concat("<span class=\"bad\">made, but does not pass</span>", html::escape(group));
    for (const std::string& check : row.failed_checks) out += concat("<br>", html::escape(check));
    if (row.verdict.passed)
        out += concat("<br>people say: ", *row.verdict.passed ? "pass" : "fail", ". ", html::escape(row.verdict.note));
    out += "</p>\n";
    const Shown shown = shown_of(row, folder);
    std::string players;
    if (!shown.source.empty()) players += films.player(shown.source, "source", "source");
    if (!shown.result.empty()) players += films.player(shown.result, "result", "result");
    if (!players.empty())
        out += concat("<div class=\"films\">", players,
                      "</div>\n<div class=\"controls\"><button class=\"play\">Play</button><input type=\"range\" "
                      "min=\"0\" max=\"1000\" value=\"0\" aria-label=\"time\"><output></output><button "
                      "class=\"sound\">Sound: ",
                      shown.result.empty() ? "source" : "result", "</button></div>\n");
    return out + figures_of(row) + "</section>\n";
}

std::string groups_of(const BenchResult& result) {
    std::vector<std::string> header{""};
    for (const GroupSummary& group : result.groups) header.push_back(group.name);
    std::vector<std::vector<std::string>> rows{{"pairs"}, {"made"}, {"success"}};
    for (const GroupSummary& group : result.groups) {
        rows[0].push_back(std::to_string(group.pairs));
        rows[1].push_back(std::to_string(group.done));
        rows[2].push_back(mean_text(group.success, 4));
    }
    for (const std::string& name : figure_names(result.rows)) {
        rows.push_back({name});
        for (const GroupSummary& group : result.groups) rows.back().push_back(mean_text(group.figures.at(name), 4));
    }
    return html::table(header, rows);
}

}  // namespace

std::string bench_page(const BenchResult& result, const std::string& folder, std::uint64_t embed_bytes) {
    const bool embed = embed_bytes > 0 && size_of_all(result, folder) <= embed_bytes;
    Films films(folder, embed);
    html::Page page(concat("Benchmark ", result.command.benchmark, ": ", result.method));
    page.style(kStyle);
    page.script(kScript);
    page.add(
        "<p class=\"faint\">Means with 95 % intervals (bootstrap over pairs). The paper's rows and what makes them "
        "incomparable stand in <a href=\"table.md\">table.md</a>.</p>\n");
    page.add(groups_of(result));
    page.add(
        "<h2>Pairs</h2>\n<p class=\"faint\"><kbd>space</kbd> play, pause; <kbd>&larr;</kbd> <kbd>&rarr;</kbd> a "
        "second; <kbd>,</kbd> <kbd>.</kbd> a picture; <kbd>j</kbd> <kbd>k</kbd> next, previous pair; <kbd>s</kbd> "
        "whose sound; <kbd>Home</kbd> to the beginning</p>\n");
    for (const BenchRow& row : result.rows) page.add(pair_section(row, folder, films));
    if (embed) page.add(films.embedded());
    page.embed("results", results_json(result));
    return page.text();
}

}  // namespace omnisync::command
