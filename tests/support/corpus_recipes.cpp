// The list of the corpus. Content is ffmpeg's moving test picture, whose every frame differs from every other.
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/corpus.h"

namespace omnisync::test {
namespace {

using Words = std::vector<std::string>;

Words operator+(Words left, const Words& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

Words split(const std::string& text) {
    Words words;
    std::string word;
    for (const char c : text + " ") {
        if (c != ' ') {
            word += c;
        } else if (!word.empty()) {
            words.push_back(std::exchange(word, {}));
        }
    }
    return words;
}

const Words kFfmpeg = split("ffmpeg -v error -nostdin -y");
const Words kExact = split("-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -threads 1");

Words picture(const std::string& size, const std::string& rate, const std::string& length) {
    return {"-f", "lavfi", "-i", "testsrc2=s=" + size + ":r=" + rate + ":d=" + length};
}

Words tone(const std::string& length, int hertz = 440, int rate = 44100) {
    return {
        "-f", "lavfi", "-i",
        "sine=" + std::to_string(hertz) + ":r=" + std::to_string(rate) + ":d=" + length + ":samples_per_frame=1024"};
}

/// One ffmpeg run: inputs, then options, then the output.
Words cook(const Words& inputs, const std::string& options) {
    return kFfmpeg + inputs + kExact + split(options) + Words{"{out}"};
}

const std::string kX264 = "-c:v libx264 -preset ultrafast -g 12 ";

Specimen simple(std::string name, std::string extension, Words inputs, const std::string& options) {
    return {std::move(name), extension, {cook(inputs, options)}, extension, TimeRule::equal, Lossless::yes, {}};
}

Specimen shifted(Specimen what) {
    what.time = TimeRule::shifted;
    return what;
}

Specimen with(Lossless lossless, Specimen what) {
    what.lossless = lossless;
    return what;
}

void add_rates(std::vector<Specimen>& all) {
    const auto plain = picture("160x120", "25", "2") + tone("2");
    all.push_back(simple("plain", ".mp4", plain, kX264 + "-pix_fmt yuv420p -c:a aac"));
    all.push_back(
        simple("vfr_jitter", ".mp4", plain,
               "-vf settb=1/90000,setpts=N*3600+mod(N*7919\\,2903) -fps_mode passthrough -enc_time_base 1/90000 "
               "-video_track_timescale 90000 " +
                   kX264 + "-bf 0 -pix_fmt yuv420p -c:a aac"));
    all.push_back(simple("vfr_dropped_frames", ".mkv", plain,
                         "-vf select=not(between(mod(n\\,7)\\,3\\,4)) -fps_mode passthrough " + kX264 +
                             "-pix_fmt yuv420p -c:a libopus -ar 48000"));
    for (const auto& [name, rate, extension] :
         {std::tuple{"film_23_976", "24000/1001", ".mp4"}, std::tuple{"ntsc_29_97", "30000/1001", ".mp4"},
          std::tuple{"ntsc_59_94", "60000/1001", ".mkv"}, std::tuple{"fps_120", "120", ".mp4"},
          std::tuple{"fps_12_5_mov", "25/2", ".mov"}}) {
        all.push_back(simple(name, extension, picture("160x120", rate, "2") + tone("2", 440, 48000),
                             kX264 + "-bf 2 -pix_fmt yuv420p -c:a aac"));
    }
    all.push_back(simple("long_gop", ".mp4", picture("160x120", "25", "3") + tone("3"),
                         "-c:v libx264 -preset veryfast -g 999 -bf 3 -pix_fmt yuv420p -c:a aac"));
    all.push_back(
        simple("open_gop_b_frames", ".mp4", picture("160x120", "25", "3") + tone("3"),
               "-c:v libx264 -preset veryfast -g 12 -bf 3 -flags:v +bitexact-cgop -x264-params open-gop=1:b-pyramid=2 "
               "-pix_fmt yuv420p -c:a aac"));
    all.push_back(
        simple("one_frame", ".mp4", picture("160x120", "25", "0.04") + tone("1"), kX264 + "-pix_fmt yuv420p -c:a aac"));
}

void add_geometry(std::vector<Specimen>& all) {
    const auto plain = picture("160x120", "25", "1") + tone("1");
    const std::string usual = kX264 + "-pix_fmt yuv420p -c:a aac";
    for (const auto& [name, matrix] :
         {std::pair{"rotated_90", "matrix 0 1 -1 0"}, std::pair{"rotated_180", "matrix -1 0 0 -1"},
          std::pair{"rotated_270", "matrix 0 -1 1 0"}, std::pair{"mirrored", "matrix -1 0 0 1"}}) {
        auto turned = simple(name, ".mp4", plain, usual);
        turned.patch = matrix;
        all.push_back(turned);
    }
    all.push_back(simple("wide_pixels", ".mp4", plain, "-vf setsar=16/11 " + usual));
    all.push_back(simple("odd_size_h264_444", ".mp4", picture("321x241", "25", "1") + tone("1"),
                         kX264 + "-pix_fmt yuv444p -c:a aac"));
    all.push_back(simple("odd_size_vp9", ".webm", picture("321x241", "25", "1") + tone("1", 440, 48000),
                         "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 300k -pix_fmt yuv420p -c:a libopus"));
    all.push_back(simple("odd_size_mpeg4", ".mp4", picture("321x241", "25", "1") + tone("1"),
                         "-c:v mpeg4 -q:v 4 -pix_fmt yuv420p -c:a aac"));
    all.push_back(simple("interlaced_h264", ".mp4", picture("160x128", "50", "1") + tone("1"),
                         "-vf tinterlace=interleave_top,setfield=tff " + kX264 +
                             "-flags:v +bitexact+ilme+ildct -x264-params tff=1 "
                             "-pix_fmt yuv420p -c:a aac"));
    Specimen resized{"resized_midway", ".ts", {}, ".ts", TimeRule::shifted, Lossless::converted, {}};
    const std::string ts = "-c:v libx264 -preset ultrafast -bf 0 -pix_fmt yuv420p -c:a mp2 -muxdelay 0 -f mpegts ";
    resized.recipe.push_back(kFfmpeg + picture("160x120", "25", "1") + tone("1", 440, 48000) + split(ts) + kExact +
                             Words{"{tmp}/a.ts"});
    resized.recipe.push_back(kFfmpeg + picture("192x144", "25", "1") + tone("1", 440, 48000) +
                             split("-output_ts_offset 1 " + ts) + kExact + Words{"{tmp}/b.ts"});
    resized.recipe.push_back({"sh", "-c", "cat \"$1\" \"$2\" > \"$3\"", "sh", "{tmp}/a.ts", "{tmp}/b.ts", "{out}"});
    all.push_back(resized);
}

void add_colour(std::vector<Specimen>& all) {
    const std::string hdr =
        "-vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv,format=yuv420p10le "
        "-c:v libx265 -preset ultrafast -tag:v hvc1 -c:a aac "
        "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -color_range tv "
        "-x265-params "
        "log-level=none:bframes=2:hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:"
        "chromaloc=2:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,"
        "400";
    const auto source = picture("192x128", "24000/1001", "1") + tone("1", 440, 48000);
    all.push_back(simple("hdr10_hevc", ".mp4", source, hdr));
    all.push_back(simple("hdr10_hevc_mkv", ".mkv", source, hdr));
    const auto plain = picture("160x120", "25", "1") + tone("1");
    all.push_back(simple("yuv422_10bit", ".mkv", plain, kX264 + "-pix_fmt yuv422p10le -c:a flac"));
    all.push_back(
        simple("full_range_bt601", ".mp4", plain,
               "-vf scale=out_range=full,format=yuvj420p " + kX264 +
                   "-color_range pc -color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m -c:a aac"));
    all.push_back(simple(
        "bt709_tagged", ".mov", plain,
        kX264 + "-pix_fmt yuv420p -color_range tv -color_primaries bt709 -color_trc bt709 -colorspace bt709 -c:a aac"));
    all.push_back(simple("grey", ".mkv", plain, "-c:v ffv1 -level 3 -pix_fmt gray -c:a aac"));
}

void add_codecs(std::vector<Specimen>& all) {
    const auto plain = picture("160x120", "25", "1") + tone("1", 440, 48000);
    const std::string aac = " -pix_fmt yuv420p -c:a aac";
    all.push_back(simple("hevc_mov", ".mov", plain,
                         "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=none" + aac));
    all.push_back(simple("vp9", ".webm", plain,
                         "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 300k -pix_fmt yuv420p -c:a libopus"));
    all.push_back(simple("vp8", ".webm", plain,
                         "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 300k -pix_fmt yuv420p -c:a libvorbis"));
    all.push_back(simple("av1", ".mp4", plain, "-c:v libsvtav1 -preset 12 -crf 40" + aac));
    all.push_back(
        simple("prores_422", ".mov", plain, "-c:v prores_ks -profile:v 2 -pix_fmt yuv422p10le -c:a pcm_s16le"));
    all.push_back(with(
        Lossless::nowhere,
        simple(
            "prores_4444_alpha", ".mov", picture("160x120", "25", "1") + tone("1"),
            "-vf format=yuva444p10le,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='X*6' -c:v prores_ks -profile:v 4 "
            "-pix_fmt yuva444p10le -c:a pcm_s24le")));
    all.push_back(simple("dnxhr", ".mov", picture("320x240", "25", "1") + tone("1"),
                         "-c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p -c:a pcm_s16le"));
    all.push_back(simple("ffv1", ".mkv", plain, "-c:v ffv1 -level 3 -pix_fmt yuv444p -c:a flac"));
    all.push_back(simple("mjpeg", ".mov", plain, "-c:v mjpeg -q:v 3 -pix_fmt yuvj422p -c:a pcm_s16be"));
    all.push_back(shifted(simple("mpeg4", ".avi", plain, "-c:v mpeg4 -q:v 4 -bf 0 -pix_fmt yuv420p -c:a libmp3lame")));
    all.push_back(shifted(simple("flv", ".flv", plain, "-c:v flv1 -q:v 4 -ar 44100 -c:a libmp3lame")));
    all.push_back(simple("h263", ".3gp", picture("176x144", "25", "1") + tone("1"),
                         "-c:v h263 -q:v 4 -pix_fmt yuv420p -c:a aac"));
    all.push_back(shifted(simple(
        "mpeg2_interlaced", ".ts", picture("160x128", "50", "1") + tone("1", 440, 48000),
        "-vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -q:v 3 -g 12 -bf 2 -flags:v +bitexact+ilme+ildct "
        "-pix_fmt yuv420p -c:a mp2")));
    all.push_back(shifted(simple("h264_transport_stream", ".ts", plain, kX264 + "-bf 2 -pix_fmt yuv420p -c:a aac")));
    all.push_back(
        shifted(simple("mpeg1", ".mpg", plain, "-c:v mpeg1video -q:v 3 -g 12 -bf 2 -pix_fmt yuv420p -c:a mp2")));
    all.push_back(shifted(simple("wmv", ".wmv", plain, "-c:v wmv2 -q:v 4 -c:a wmav2")));
    all.push_back(with(Lossless::elsewhere, simple("theora", ".ogv", plain, "-c:v libtheora -q:v 7 -c:a libvorbis")));
    all.push_back(with(Lossless::elsewhere,
                       shifted(simple("mxf", ".mxf", picture("720x576", "25", "0.4") + tone("0.4", 440, 48000),
                                      "-c:v mpeg2video -q:v 3 -pix_fmt yuv422p -c:a pcm_s16le"))));
    all.push_back(simple("nut", ".nut", plain, kX264 + "-bf 2 -pix_fmt yuv420p -c:a pcm_s16le"));
    all.push_back(
        simple("fragmented", ".mp4", plain, kX264 + "-pix_fmt yuv420p -c:a aac -movflags frag_keyframe+empty_moov"));
}

void add_structure(std::vector<Specimen>& all) {
    const auto plain = picture("160x120", "25", "2") + tone("2", 440, 48000);
    const std::string usual = kX264 + "-pix_fmt yuv420p -c:a aac ";
    Specimen full{"everything", ".mkv", {}, ".mkv", TimeRule::equal, Lossless::yes, {}};
    full.recipe.push_back(
        {"sh", "-c",
         "printf '1\\n00:00:00,200 --> 00:00:01,100\\nFirst line\\n\\n2\\n00:00:01,200 --> 00:00:01,900\\nSecond\\n' > "
         "\"$1\"; "
         "printf ';FFMETADATA1\\n[CHAPTER]\\nTIMEBASE=1/1000\\nSTART=0\\nEND=900\\ntitle=Opening\\n[CHAPTER]\\n"
         "TIMEBASE=1/1000\\nSTART=900\\nEND=2000\\ntitle=Closing\\n' > \"$2\"; printf 'not really a font' > \"$3\"",
         "sh", "{tmp}/s.srt", "{tmp}/chapters.txt", "{tmp}/font.ttf"});
    full.recipe.push_back(
        kFfmpeg + plain + tone("2", 880, 48000) +
        split("-i {tmp}/s.srt -i {tmp}/chapters.txt -map 0:v -map 1:a -map 2:a -map 3:s -map_chapters 4 "
              "-attach {tmp}/font.ttf -metadata:s:t mimetype=application/x-truetype-font " +
              kX264 +
              "-bf 2 -pix_fmt yuv420p -c:a:0 libopus -c:a:1 flac -c:s srt -metadata title=Everything "
              "-metadata:s:a:0 language=eng -metadata:s:a:0 title=Dialogue -metadata:s:a:1 language=fra "
              "-metadata:s:a:1 title=Commentary -metadata:s:s:0 language=deu -disposition:a:0 default "
              "-disposition:a:1 comment -disposition:s:0 forced -metadata comment=kept") +
        kExact + Words{"{out}"});
    all.push_back(full);
    all.push_back(simple(
        "two_sounds", ".mp4", plain + tone("2", 880, 48000),
        "-map 0:v -map 1:a -map 2:a " + usual +
            "-metadata:s:a:0 language=eng -metadata:s:a:1 language=spa -disposition:a:0 default -disposition:a:1 0"));
    auto timed_text = full;
    timed_text.name = "subtitles_chapters";
    timed_text.extension = timed_text.out_extension = ".mp4";
    timed_text.recipe[1] = kFfmpeg + plain +
                           split("-i {tmp}/s.srt -i {tmp}/chapters.txt -map 0:v -map 1:a -map 2:s -map_chapters 3 " +
                                 usual + "-c:s mov_text -metadata:s:s:0 language=deu -metadata title=Chapters") +
                           kExact + Words{"{out}"};
    all.push_back(timed_text);
    all.push_back(simple("no_sound", ".mp4", picture("160x120", "25", "2"), kX264 + "-pix_fmt yuv420p"));
    all.push_back(simple("sound_longer", ".mp4", picture("160x120", "25", "1") + tone("2"), usual));
    all.push_back(simple("sound_shorter", ".mkv", picture("160x120", "25", "2") + tone("1"), usual));
    Specimen cover{"cover_first", ".mp4", {}, ".mp4", TimeRule::equal, Lossless::yes, {}};
    cover.recipe.push_back(kFfmpeg + picture("64x64", "1", "1") + split("-frames:v 1 {tmp}/cover.png"));
    cover.recipe.push_back(
        kFfmpeg + split("-i {tmp}/cover.png") + plain +
        split(
            "-map 0:v -map 1:v -map 2:a -c:v:0 copy -disposition:v:0 attached_pic -c:v:1 libx264 -preset:v:1 ultrafast "
            "-pix_fmt:v:1 yuv420p -c:a aac") +
        kExact + Words{"{out}"});
    cover.patch = "udta first";
    all.push_back(cover);
    all.push_back(simple("timecode", ".mov", plain, usual + "-timecode 01:00:00:00"));
    all.push_back(simple("unknown_tags", ".mp4", plain,
                         usual + "-movflags use_metadata_tags -metadata com.example.take=7 -metadata title=Tagged "
                                 "-metadata artist=Nobody -metadata creation_time=2020-02-03T04:05:06Z"));
}

void add_starts(std::vector<Specimen>& all) {
    const auto plain = picture("160x120", "25", "2") + tone("2", 440, 48000);
    const std::string usual = kX264 + "-bf 2 -pix_fmt yuv420p -c:a aac ";
    Specimen edited{"edit_list", ".mov", {}, ".mov", TimeRule::equal, Lossless::yes, {}};
    edited.recipe.push_back(kFfmpeg + plain + split(usual + "-g 50") + kExact + Words{"{tmp}/whole.mov"});
    edited.recipe.push_back(kFfmpeg + split("-ss 0.5 -i {tmp}/whole.mov -c copy") + kExact + Words{"{out}"});
    all.push_back(edited);
    all.push_back(simple("late_picture", ".mp4", Words{"-itsoffset", "0.7"} + plain,
                         "-map 0:v -map 1:a -fps_mode passthrough " + usual));
    all.push_back(simple("late_sound", ".mkv", picture("160x120", "25", "2") + Words{"-itsoffset", "0.7"} + tone("2"),
                         "-map 0:v -map 1:a -fps_mode passthrough " + usual));
    all.push_back(simple("late_both", ".mkv", plain, usual + "-output_ts_offset 5"));
    all.push_back(simple("late_both_mp4", ".mp4", plain, usual + "-output_ts_offset 5"));
    all.push_back(simple(
        "clipped_start", ".mp4", plain,
        kX264 + "-bf 0 -pix_fmt yuv420p -c:a pcm_s16le -f mov -output_ts_offset -0.5 -avoid_negative_ts disabled"));
    all.push_back(shifted(simple("clock_wraps", ".ts", plain, usual + "-output_ts_offset 95441.3")));
}

}  // namespace

const std::vector<Specimen>& corpus() {
    static const std::vector<Specimen> kAll = [] {
        std::vector<Specimen> all;
        add_rates(all);
        add_geometry(all);
        add_colour(all);
        add_codecs(all);
        add_structure(all);
        add_starts(all);
        return all;
    }();
    return kAll;
}

}  // namespace omnisync::test
