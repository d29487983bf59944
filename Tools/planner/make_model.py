#!/usr/bin/env python3
"""Makes Host/Clib/CPlannerModel/model.bin: see README.md."""
import argparse, json, pathlib, random, re, struct
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUCKETS = 4096
MASK64 = (1 << 64) - 1


class Table:
    """The token-embedding table; see Host/Embedding/EmbeddingTable.swift."""

    def __init__(self, path):
        data = path.read_bytes()
        self.dim, rows, slots, folds, text_bytes, self.unknown = struct.unpack_from("<6I", data, 8)
        self.version = data[32:64]
        at = 64
        up = lambda offset: (offset + 63) // 64 * 64
        vectors = np.frombuffer(data, np.int8, rows * self.dim, at).reshape(rows, self.dim).astype(np.float32)
        at = up(at + rows * self.dim)
        scales = np.frombuffer(data, "<f4", rows, at)
        at = up(at + rows * 4)
        offsets = np.frombuffer(data, "<u4", rows + 1, at)
        at = up(at + (rows + 1) * 4)
        text = data[at:at + text_bytes]
        self.tokens = {text[offsets[i]:offsets[i + 1]].decode(): i for i in range(rows)}
        self.vectors = vectors * scales[:, None]

    def rows(self, text):
        out = []
        for word in re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower()):
            at, pieces = 0, []
            while at < len(word):
                end = len(word)
                while end > at and ("##" if at else "") + word[at:end] not in self.tokens:
                    end -= 1
                if end == at:
                    pieces = [self.unknown]
                    break
                pieces.append(self.tokens[("##" if at else "") + word[at:end]])
                at = end
            out += pieces
        return out

    def embed(self, texts):
        out = np.zeros((len(texts), self.dim), np.float32)
        for i, text in enumerate(texts):
            rows = self.rows(text)
            if rows:
                vector = self.vectors[rows].sum(0)
                norm = np.linalg.norm(vector)
                if norm > 1e-9:
                    out[i] = vector / norm
        return out


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value


def grams(text):
    """As PlannerModel.asking reads a sentence."""
    found, seen = [], set()
    previous = fnv("^")
    for word in re.findall(r"[a-z']+|[0-9]+|[?!.:,@]", "".join(c.lower() if c < "\x80" else c for c in text)):
        this = fnv("#" if word[0].isdigit() else word)
        for gram in (this, ((previous * 0x9E3779B97F4A7C15) & MASK64) ^ this):
            if gram not in seen:
                seen.add(gram)
                found.append((gram ^ (gram >> 32)) & (BUCKETS - 1))
        previous = this
    return found


def request_inputs(table, texts):
    import scipy.sparse as sparse
    rows, columns, values = [], [], []
    for i, text in enumerate(texts):
        found = grams(text)
        for gram in found:
            rows.append(i)
            columns.append(gram)
            values.append(1 / np.sqrt(len(found)))
    lexical = sparse.csr_matrix((values, (rows, columns)), (len(texts), BUCKETS), dtype=np.float32)
    return sparse.hstack([sparse.csr_matrix(table.embed(texts) * 2), lexical,
                          sparse.csr_matrix(np.ones((len(texts), 1), np.float32))]).tocsr()


def logistic(inputs, wanted, weights, decay, rounds=150):
    from scipy.optimize import minimize
    sign = 2 * wanted - 1

    def loss(b):
        margin = np.clip(sign * (inputs @ b), -30, 30)
        pull = -weights * sign / (1 + np.exp(margin))
        slope = inputs.T @ pull
        value = (weights * np.log1p(np.exp(-margin))).sum() + decay / 2 * (b[:-1] ** 2).sum()
        slope[:-1] += decay * b[:-1]
        return value, slope

    return minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": rounds}).x


# MARK: The grammar of utterances


def parse(text):
    at = 0

    def sequence(ends):
        nonlocal at
        options, items = [], []
        while at < len(text) and text[at] not in ends:
            c = text[at]
            if c in "[(":
                at += 1
                inner = sequence("])")
                at += 1
                items.append(("optional" if c == "[" else "choice", inner))
            elif c == "|":
                at += 1
                options.append(items)
                items = []
            elif c == "{":
                end = text.index("}", at)
                items.append(("slot", text[at + 1:end]))
                at = end + 1
            else:
                end = at
                while end < len(text) and text[end] not in "[](){}|":
                    end += 1
                items.append(("text", text[at:end]))
                at = end
        return options + [items]

    return sequence("")


SAMPLES = {
    "items": ["milk", "bread and eggs", "tomatoes", "toilet paper"], "quantity": ["2 l milk"],
    "text": ["call the dentist", "the car", "pay the bill", "the garden", ""], "money": ["20 euros", "12.50"],
    "date": ["tomorrow", "friday"], "dateTime": ["tomorrow at 5", "friday"], "period": ["this month", "last week"],
    "number": ["3"], "duration": ["an hour"], "reference": ["that", "the first one", "the second", ""],
    "list": ["anna", "tom@example.com"],
}


def render(options, slots, chance):
    out = ""
    for kind, value in chance.choice(options):
        if kind == "text":
            out += value
        elif kind == "slot":
            slot = slots.get(value, {})
            words = [w for c in slot.get("choices", []) for w in (c.get("words") or [c.get("value", "")])]
            out += chance.choice(words or SAMPLES.get(slot.get("kind", "text"), [""]))
        elif kind == "choice" or chance.random() < 0.4:
            out += render(value, slots, chance)
    return out


def sentences(template, slots, count, chance):
    seen = []
    parsed = parse(template)
    for _ in range(count):
        text = re.sub(r"\s+", " ", render(parsed, slots, chance)).strip()
        if text and text not in seen:
            seen.append(text)
    return seen


def lines(path):
    return [line.strip() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]


# MARK: The network


def fit(features, labels, weights, hidden, seed=1, rounds=1500, decay=3e-4):
    """One hidden layer, trained with Adam on all rows at once."""
    chance = np.random.RandomState(seed)
    mean = features.mean(0)
    scale = 1 / np.maximum(features.std(0), 1e-3)
    x = (features - mean) * scale
    n = x.shape[1]
    w1 = chance.randn(hidden, n) * 0.2
    b1 = np.zeros(hidden)
    w2 = chance.randn(hidden) * 0.3
    b2 = -1.0
    state = [np.zeros_like(p) for p in (w1, b1, w2)] * 2
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in (w1, b1, w2, np.array(b2))]
    params = [w1, b1, w2, np.array(b2)]
    total = weights.sum()
    for step in range(1, rounds + 1):
        z = x @ params[0].T + params[1]
        h = np.maximum(z, 0)
        o = h @ params[2] + params[3]
        p = 1 / (1 + np.exp(-np.clip(o, -30, 30)))
        d = (p - labels) * weights / total
        slopes = [None] * 4
        slopes[2] = h.T @ d + decay * params[2]
        slopes[3] = d.sum()
        dz = np.outer(d, params[2]) * (z > 0)
        slopes[0] = dz.T @ x + decay * params[0]
        slopes[1] = dz.sum(0)
        rate = 0.02 * (0.5 + 0.5 * np.cos(np.pi * step / rounds))
        for i in range(4):
            m, v = moments[i]
            m = 0.9 * m + 0.1 * slopes[i]
            v = 0.999 * v + 0.001 * slopes[i] ** 2
            moments[i] = (m, v)
            params[i] = params[i] - rate * (m / (1 - 0.9 ** step)) / (np.sqrt(v / (1 - 0.999 ** step)) + 1e-8)
    return mean, scale, params


def together(nets):
    """One network that says the mean of what several say, before the squashing."""
    mean, scale, _ = nets[0]
    parts = [n[2] for n in nets]
    return mean, scale, [
        np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]),
        np.concatenate([p[2] for p in parts]) / len(parts), np.mean([p[3] for p in parts])]


def beliefs(net, features):
    mean, scale, (w1, b1, w2, b2) = net
    h = np.maximum(((features - mean) * scale) @ w1.T + b1, 0)
    return 1 / (1 + np.exp(-np.clip(h @ w2 + b2, -30, 30)))


def write(path, table, request, background, net):
    mean, scale, (w1, b1, w2, b2) = net
    most = np.abs(background).max(1, keepdims=True).clip(1e-6)
    rows = np.round(background * 127 / most).astype(np.int8)
    network = np.concatenate([mean, scale, np.concatenate([np.c_[w1, b1]]).ravel(), w2, [float(b2)]])
    out = bytearray(b"TDPLN\0\0\1")
    out += struct.pack("<6I", table.dim, BUCKETS, len(rows), len(mean), len(w2), 0) + table.version
    for part in (request.astype("<f4"), (most[:, 0] / 127).astype("<f4"), rows, network.astype("<f4")):
        out += part.tobytes()
        out += bytes(-len(out) % 64)
    path.write_bytes(out)


# MARK: Making


def labelled(path):
    pairs = [line.split("\t") for line in lines(path)]
    return [(f, t) for f, t in pairs if f != "none"], [t for f, t in pairs if f == "none"]


def is_right(family, tool):
    space = tool.split(".")[0]
    return space == family or family == "mail" and space in ("gmail", "graph")


def main():
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("step", choices=["talk", "sentences", "network"])
    reader.add_argument("talk", help="talk.txt; of the step talk, dataset.json of the PyPI package chitchat-dataset")
    reader.add_argument("tools", help="plan-tools.json, which the benchmark plan-features writes; of talk, what to write")
    reader.add_argument("features", nargs="?", help="plan-features.jsonl, which it writes with the model of the first step")
    options = reader.parse_args()
    if options.step == "talk":
        talk = sorted({
            " ".join(m["text"].split()) for c in json.loads(pathlib.Path(options.talk).read_text()).values()
            for turn in c["messages"] for m in turn
            if 2 <= len(m["text"].split()) <= 30 and len(m["text"]) < 160 and m["text"].isascii()})
        random.Random(7).shuffle(talk)
        pathlib.Path(options.tools).write_text("\n".join(talk[:16000]) + "\n")
        return
    table = Table(ROOT / "Host/Clib/CEmbedding/table.bin")
    path = ROOT / "Host/Clib/CPlannerModel/model.bin"
    tools = json.loads(pathlib.Path(options.tools).read_text())
    chance = random.Random(5)
    rendered = [s for t in tools for u in t["utterances"] for s in sentences(u, t["slots"], 4, chance)]
    unserved = [s for line in lines(HERE / "unserved.txt") for s in sentences(line, {}, 12, chance)]
    asked, idle = labelled(ROOT / "Tests/Fixtures/planner/development.tsv")
    # Decided by rules before the planner.
    asked = [(f, t) for f, t in asked if f not in ("account", "integrations")]
    talk = lines(pathlib.Path(options.talk))
    # Half of the idle sentences are what others are compared with; the network learns from the other half.
    background = unserved + idle[1::2] + talk[8000:8600]
    idle = idle[0::2]
    talk_train, talk_fit = talk[:5000], talk[12000:13000]

    def request(asked, idle):
        texts = rendered + asked + unserved + idle + talk_train
        wanted = np.array([1] * (len(rendered) + len(asked)) + [0] * (len(unserved) + len(idle) + len(talk_train)))
        weights = np.array([0.25] * len(rendered) + [1.5] * len(asked) + [0.5] * len(unserved) + [1.5] * len(idle)
                           + [0.25] * len(talk_train))
        return logistic(request_inputs(table, texts), wanted, weights, 1.0, 100)

    texts = [t for _, t in asked]
    rest = background[len(unserved):-600]
    whole = request(texts, idle + rest)
    if options.step == "sentences":
        inputs = 30
        net = (np.zeros(inputs), np.ones(inputs),
               [np.zeros((1, inputs)), np.zeros(1), np.zeros(1), np.array(0.0)])
        write(path, table, whole, table.embed(background), net)
        return

    # Of each sentence what a model says that did not learn from it.
    folds = np.random.RandomState(0)
    fold = {t: k for t, k in zip(texts + idle, folds.randint(0, 4, len(texts) + len(idle)))}
    asking = {}
    for k in range(4):
        b = request([t for t in texts if fold[t] != k], [t for t in idle if fold[t] != k] + rest)
        out = [t for t in texts + idle if fold[t] == k]
        asking |= dict(zip(out, request_inputs(table, out) @ b))
    asking |= dict(zip(talk_fit, request_inputs(table, talk_fit) @ whole))
    traced = {}
    for line in pathlib.Path(options.features).read_text().splitlines():
        record = json.loads(line)
        traced[record["text"]] = record["candidates"]
    x, y, w, group, owner = [], [], [], [], []
    families = dict((t, f) for f, t in asked)
    for text in texts + idle + talk_fit:
        candidates = [c for c in traced.get(text, []) if c["features"]]
        for c in candidates:
            c["features"][18] = max(-2, min(2, asking[text] / 3))
            c["features"][19] = c["features"][18] * c["features"][0]
        family = families.get(text)
        right = [c for c in candidates if family and is_right(family, c["tool"])]
        best = max(right, key=lambda c: c["features"][0] + 0.8 * c["features"][10]) if right else None
        for c in candidates:
            x.append(c["features"])
            y.append(c is best)
            w.append(0.25 if text in asking and text not in fold else 0.15 if c in right and c is not best else 1.0)
            group.append(fold.get(text, len(x) % 4))
            owner.append((text, c["tool"]))
    x, y, w, group = np.array(x, float), np.array(y, float), np.array(w), np.array(group)
    said = np.zeros(len(y))
    for k in range(4):
        nets = [fit(x[group != k], y[group != k], w[group != k], 16, seed=q, rounds=400, decay=1e-3) for q in range(3)]
        said[group == k] = beliefs(together(nets), x[group == k])
    for bar in (0.3, 0.4, 0.5, 0.6, 0.7):
        best, sums = {}, {}
        for (text, tool), p in zip(owner, said):
            sums[text, tool.split(".")[0]] = sums.get((text, tool.split(".")[0]), 0) + p
            if p > best.get(text, (0, None))[0]:
                best[text] = (p, tool)
        plans = {t: tool for t, (_, tool) in best.items() if sums[t, tool.split(".")[0]] >= bar}
        print(f"bar {bar}: right {np.mean([t in plans and is_right(f, plans[t]) for f, t in asked]):.3f}",
              f"idle planned {np.mean([t in plans for t in idle]):.3f}, talk {np.mean([t in plans for t in talk_fit]):.3f}")
    nets = [fit(x, y, w, 16, seed=q, rounds=400, decay=1e-3) for q in range(4)]
    write(path, table, whole, table.embed(background), together(nets))


if __name__ == "__main__":
    main()
