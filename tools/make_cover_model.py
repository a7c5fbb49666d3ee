#!/usr/bin/env python3
"""Makes src/tracking/cover_model.inc: what tells a covered mouth from a free one in FaceLook::lower.

Faces are the training crops (../shared/train, held-out clips left out); hands, microphones and captions are drawn over
half of them. A network of one hidden layer learns the difference. Same data, same numpy: same file.

    make_cover_model.py TRAIN_FOLDER OUTPUT.inc        (needs ffmpeg, numpy, opencv-python)
"""
import json
import pathlib
import subprocess
import sys

import cv2
import numpy as np

SIDE = 160
HIDDEN = 24
random = np.random.default_rng(7)


def frames(folder, step, held_out):
    """Every step-th luma frame of the clips that may train, with its landmarks; then those held out."""
    index = json.loads((folder / "index.json").read_text())
    landmarks = np.fromfile(folder / "landmarks.f16", "<f2").reshape(-1, 68, 2).astype(np.float32)
    border = index[-held_out][1]
    command = ["ffmpeg", "-v", "error", "-i", str(folder / "crops.mp4"), "-vf", f"select=not(mod(n\\,{step}))",
               "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    data = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    pictures = np.frombuffer(data, np.uint8).reshape(-1, SIDE, SIDE)
    numbers = np.arange(len(pictures)) * step
    return pictures, landmarks[numbers], numbers >= border


def patches(picture):
    """As look_at_face(): 16x16 means over 6x6 pixels."""
    return picture[62:158, 32:128].reshape(16, 6, 16, 6).mean((1, 3))


def texture(shape):
    noise = random.normal(0, 1, (shape[0] // 8 + 2, shape[1] // 8 + 2)).astype(np.float32)
    return cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def hand(picture, mouth):
    """Fingers (capsules with darker rims) and a palm, in the face's own light."""
    skin = float(np.median(picture[40:140, 50:110]))
    base = skin * random.uniform(0.65, 1.2)
    layer = np.zeros_like(picture)
    alpha = np.zeros_like(picture)
    angle = random.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    width = random.uniform(9, 16)
    tip = mouth + random.normal(0, 9, 2) + along * random.uniform(5, 35)
    fingers = random.integers(1, 6)
    for finger in range(fingers):
        end = tip + across * (finger - (fingers - 1) / 2) * width * random.uniform(0.95, 1.15) \
            - along * abs(finger - (fingers - 1) / 2) * random.uniform(0, 8)
        start = end - along * random.uniform(45, 80)
        a, b = (tuple(np.round(p).astype(int).tolist()) for p in (start, end))
        for share, shade in ((1.0, 0.62), (0.8, 0.9), (0.55, 1.0)):
            cv2.line(layer, a, b, base * shade, max(1, int(width * share)), cv2.LINE_AA)
        cv2.line(alpha, a, b, 1, max(1, int(width)), cv2.LINE_AA)
    palm = tip - along * random.uniform(45, 75)
    cv2.circle(layer, tuple(np.round(palm).astype(int).tolist()), int(width * fingers * 0.6), base, -1, cv2.LINE_AA)
    cv2.circle(alpha, tuple(np.round(palm).astype(int).tolist()), int(width * fingers * 0.6), 1, -1, cv2.LINE_AA)
    return layer * (1 + 0.06 * texture(layer.shape)), alpha


def thing(picture, mouth):
    """A microphone, a cup, a phone: one lump of one tone, often with a stick or an arm."""
    tone = random.choice([random.uniform(10, 80), random.uniform(30, 240)])
    layer = np.full_like(picture, tone)
    alpha = np.zeros_like(picture)
    middle = tuple(np.round(mouth + random.normal(0, 10, 2)).astype(int).tolist())
    axes = (int(random.uniform(12, 40)), int(random.uniform(12, 40)))
    if random.random() < 0.7:
        cv2.ellipse(alpha, middle, axes, random.uniform(0, 180), 0, 360, 1, -1, cv2.LINE_AA)
    else:
        box = cv2.boxPoints((middle, (2.0 * axes[0], 2.0 * axes[1]), random.uniform(0, 180)))
        cv2.fillPoly(alpha, [np.round(box).astype(np.int32)], 1, cv2.LINE_AA)
    if random.random() < 0.6:
        angle = random.uniform(0, np.pi)
        far = (int(middle[0] + 150 * np.cos(angle)), int(middle[1] + 150 * np.sin(angle)))
        cv2.line(alpha, middle, far, 1, int(random.uniform(6, 26)), cv2.LINE_AA)
    return layer * (1 + random.uniform(0, 0.3) * texture(layer.shape)), alpha


def caption(picture, mouth):
    """White or yellow letters with dark rims, or letters on a box."""
    words = "".join(random.choice(list("abcdefghiklmnoprstuvwy     ")) for _ in range(60))
    size = random.uniform(0.45, 1.1)
    place = (int(-random.uniform(0, 60)), int(mouth[1] + random.normal(0, 7) + 10 * size))
    layer = np.zeros(picture.shape, np.uint8)
    alpha = np.zeros(picture.shape, np.uint8)
    bright = random.uniform(200, 255)
    if random.random() < 0.25:
        alpha[max(0, int(place[1] - 26 * size)):max(0, int(place[1] + 10 * size))] = 200
    cv2.putText(alpha, words, place, 0, size, 255, max(2, int(6 * size)), cv2.LINE_AA)
    cv2.putText(layer, words, place, 0, size, bright, max(1, int(2 * size)), cv2.LINE_AA)
    return layer.astype(np.float32), alpha.astype(np.float32) / 255


def disturbed(picture, far):
    """Light, blur, and a placement that is never exact: less so with something in the way."""
    scale = 1 + random.normal(0, 0.02 + 0.02 * far)
    turn = cv2.getRotationMatrix2D((80, 85), random.normal(0, 2 + 2 * far), scale)
    turn[:, 2] += random.normal(0, 1.2 + 1.5 * far, 2)
    picture = cv2.warpAffine(picture, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if random.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 3))
    if random.random() < 0.5:
        picture = picture[:, ::-1]
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)
    picture = picture * (1 + random.normal(0, 0.1) * ramp[None] + random.normal(0, 0.1) * ramp[:, None])
    picture = 255 * np.clip(picture / 255, 0, 1) ** random.uniform(0.7, 1.4)
    return picture * random.uniform(0.6, 1.2) + random.normal(0, 2, picture.shape)


def example(picture, landmarks, covered):
    """A patch, and whether the lips are covered; nothing when it is neither one nor the other."""
    picture = picture.astype(np.float32)
    mouth = landmarks[48:60].mean(0).astype(np.float64)
    label = 0
    if covered or random.random() < 0.2:  # something near the mouth, but beside it, is no cover
        if not covered:
            angle = random.uniform(0, 2 * np.pi)
            mouth = mouth + random.uniform(35, 70) * np.array([np.cos(angle), np.sin(angle)])
        layer, alpha = (hand, hand, thing, caption)[random.integers(4)](picture, mouth)
        alpha = cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), 1)
        lips = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillConvexPoly(lips, cv2.convexHull(np.round(landmarks[48:60]).astype(np.int32)), 1)
        share = float((alpha * lips).sum() / max(lips.sum(), 1))
        if 0.05 < share < 0.4:
            return None
        label = int(share >= 0.4)
        picture = picture * (1 - alpha) + layer * alpha
    patch = patches(np.clip(disturbed(picture, label), 0, 255))
    return patch, label


def examples(pictures, landmarks, rounds):
    found = [example(p, q, covered) for _ in range(rounds) for p, q in zip(pictures, landmarks) for covered in (0, 1)]
    found = [one for one in found if one is not None]
    return np.array([one[0] for one in found]).reshape(-1, 256), np.array([one[1] for one in found], np.float64)


def normal(patch):
    """As cover_evidence() does."""
    patch = patch - patch.mean(1, keepdims=True)
    return patch / (patch.std(1, keepdims=True) + 6)


def train(x, y):
    w1 = random.normal(0, 0.06, (256, HIDDEN))
    b1 = np.zeros(HIDDEN)
    w2 = random.normal(0, 0.2, HIDDEN)
    b2 = np.zeros(1)
    weights = [w1, b1, w2, b2]
    first = [np.zeros_like(w) for w in weights]
    second = [np.zeros_like(w) for w in weights]
    step = 0
    epochs = 40
    for epoch in range(epochs):
        order = random.permutation(len(x))
        rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        for at in range(0, len(x), 256):
            part = order[at:at + 256]
            hidden = np.tanh(x[part] @ w1 + b1)
            out = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
            slope = (out - y[part]) / len(part)
            back = slope[:, None] * w2 * (1 - hidden ** 2)
            slopes = [x[part].T @ back + 1e-4 * w1, back.sum(0), hidden.T @ slope, slope.sum(keepdims=True)]
            step += 1
            for w, g, m, v in zip(weights, slopes, first, second):
                m *= 0.9
                m += 0.1 * g
                v *= 0.999
                v += 0.001 * g * g
                w -= rate * (m / (1 - 0.9 ** step)) / (np.sqrt(v / (1 - 0.999 ** step)) + 1e-8)
    return weights


def main():
    train_folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    cv2.setNumThreads(1)
    grid = frames(train_folder / "grid", 25, 68)
    arabic = frames(train_folder / "lrc-ar", 7, 300)
    pictures, landmarks, held = (np.concatenate(pair) for pair in zip(grid, arabic))
    x, y = examples(pictures[~held], landmarks[~held], 3)
    vx, vy = examples(pictures[held], landmarks[held], 2)
    w1, b1, w2, b2 = train(normal(x), y)
    out = np.tanh(normal(vx) @ w1 + b1) @ w2 + b2
    for limit in (0, 1, 2, 3, 4):
        print(f"evidence above {limit}: {np.mean(out[vy > 0] > limit):.3f} of {int(vy.sum())} covered, "
              f"{np.mean(out[vy == 0] > limit):.4f} of {int((1 - vy).sum())} free")
    scale = np.abs(w1).max() / 127
    rows = np.round(w1.T / scale).astype(int)
    lines = ["// Made by tools/make_cover_model.py; not to be edited.",
             f"constexpr int kHidden = {HIDDEN};", f"constexpr float kWeightScale = {scale:.9g}F;",
             f"constexpr std::array<float, {HIDDEN}> kHiddenBias{{{', '.join(f'{v:.6g}F' for v in b1)}}};",
             f"constexpr std::array<float, {HIDDEN}> kOutWeight{{{', '.join(f'{v:.6g}F' for v in w2)}}};",
             f"constexpr float kOutBias = {b2[0]:.6g}F;",
             f"constexpr std::array<std::int8_t, {HIDDEN * 256}> kWeight{{"]
    lines += ["    " + ", ".join(map(str, row[at:at + 32])) + "," for row in rows for at in range(0, 256, 32)]
    lines[-1] = lines[-1].rstrip(",") + "};"
    output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
