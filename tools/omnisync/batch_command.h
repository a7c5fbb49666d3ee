// What `omnisync batch` is asked to do, as plain values.
#pragma once

#include <string>
#include <vector>

namespace omnisync::command {

/// What becomes of a batch on somebody else's machines.
struct SubmitOptions {
    bool slurm = false;
    bool k8s = false;
    bool openjd = false;
    std::string output;              ///< file for the manifest or template; empty: standard output
    int parallel = 0;                ///< tasks at a time; 0: no limit of ours
    std::string name = "omnisync";   ///< of the job on the cluster
    std::string partition;           ///< Slurm
    std::string gres;                ///< Slurm: gpu:1
    std::string memory;              ///< 8G
    std::string time;                ///< Slurm: of one task
    std::vector<std::string> extra;  ///< Slurm: further options for sbatch
    std::string image;               ///< Kubernetes: with the program in it
    std::string claim;               ///< Kubernetes: volume claim that holds all files
    std::string mount;               ///< where the claim is mounted; empty: the job file's folder
    int gpus = 0;                    ///< Kubernetes, OpenJD: for each task
};

struct BatchCommand {
    std::string action;  ///< run, task, status, retry, submit
    std::string jobs;
    std::string state;        ///< folder; empty: beside the job file
    std::string output_root;  ///< empty: the job file's folder
    bool allow_outside = false;
    int workers = -1;           ///< -1: as many as fit
    std::string gpus = "auto";  ///< auto, or how many
    int retries = 3;
    double backoff_s = 2;
    double lease_s = 60;
    bool dry_run = false;
    int sample = 3;  ///< jobs of each engine that a dry run tries out
    bool watch = false;
    double every_s = 2;
    bool all = false;
    std::vector<std::string> names;
    int index = -1;  ///< -1: from the environment
    int items_per_task = 1;
    int first = 0;
    std::string expect;  ///< digest of the plan; empty: any
    SubmitOptions submit;
};

}  // namespace omnisync::command
