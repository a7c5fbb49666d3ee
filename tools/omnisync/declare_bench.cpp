// The options of `bench`.
#include "command.h"
#include "option.h"

namespace omnisync::command {

CommandSpec declare_bench(BenchCommand& bench) {
    CommandSpec spec;
    spec.name = "bench";
    spec.summary = "dubs or takes a whole set of videos, measures every result, writes tables and a page to look at";
    spec.description =
        "BENCHMARK is pairs (SET is a CSV file with the columns video, speech and optionally reference, group, name) "
        "or aigc-lipsync (SET is a folder: videos/, speech/, optionally reference/; docs/benchmark.md). A pair that "
        "fails is a row of the tables. Run again after whatever end, it goes on with the pairs that are not done.";
    spec.operands = {{"BENCHMARK", "pairs or aigc-lipsync", &bench.benchmark},
                     {"SET", "a CSV file, or a folder", &bench.set}};
    spec.options = {
        text("-o,--output", "DIR", bench.output, "folder for results, records, tables and the page; made (required)")
            .command_line_only(),
        text("--manifest", "CSV", bench.manifest, "aigc-lipsync: what the pairs are, in place of the folder's layout")
            .command_line_only(),
        text("--outputs", "DIR", bench.outputs,
             "nothing is dubbed: the result of each pair lies here, as NAME with any extension of a video")
            .command_line_only(),
        texts("--dub", "NAME=VALUE", bench.dub, "an option of dub, without dashes; may be given several times"),
        texts("--eval", "NAME=VALUE", bench.eval, "an option of eval, without dashes; may be given several times"),
        text("--method", "TEXT", bench.method, "what the tables call the method")
            .defaults_to("the engine, or the name of --outputs")
            .command_line_only(),
        text("--demands", "TEXT", bench.demands,
             "what a result must reach to count as a success, as --qa of eval has it")
            .defaults_to("those of docs/benchmark.md"),
        text("--verdicts", "CSV", bench.verdicts,
             "what people say of the results, as verdicts.csv in the output has it")
            .command_line_only(),
        flag("--measure", bench.measure, "measure the results; else only whether they were made is told")
            .can_be_denied(),
        integer("--jobs", "N", bench.jobs, {1, 1024}, "pairs at a time, each in processes of its own"),
        integer("--resamples", "N", bench.resamples, {0, 1000000},
                "of the bootstrap behind the intervals; 0: no intervals"),
        integer("--seed", "N", bench.seed, {0, 2147483647}, "of the bootstrap"),
        integer("--embed", "MIB", bench.embed_mib, {0, 1024},
                "the page holds the videos itself when they are no larger than this together; else it refers to them"),
    };
    spec.examples = {"# every pair of a list with the portable engine, two at a time",
                     "omnisync bench pairs pairs.csv -o bench --jobs 2 --dub preview=3",
                     "# what another program made of the same pairs",
                     "omnisync bench pairs pairs.csv -o bench-peer --outputs peer/ --method Peer"};
    return spec;
}

CommandSpec declare_cache(CacheCommand& cache) {
    CommandSpec spec;
    spec.name = "cache";
    spec.summary = "what is kept for the next time: how much, where; throw it away";
    spec.description = "ACTION is info or clear. Nothing in the cache is needed: what is missing is made again.";
    spec.operands = {{"ACTION", "info or clear", &cache.action}};
    spec.examples = {"omnisync cache info", "omnisync cache clear --cache /scratch/omnisync"};
    return spec;
}

}  // namespace omnisync::command
