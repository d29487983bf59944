#!/usr/bin/env python3
"""Makes Host/Clib/CPlannerModel/model.bin: see README.md."""
import argparse, hashlib, json, pathlib, random, re, struct
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUCKETS = 4096
TRADE_BUCKETS = 8192
# Namespaces by trade; the first serves nothing. A sentence about mail or the calendar may be for either mailbox's plugin.
TRADES = [
    ("none", ""), ("tasks", "tasks"), ("notes", "notes"), ("memory", "memory"), ("settings", "settings"), ("focus", "focus"),
    ("integrations", "integrations"), ("account", "account"), ("grocery", "grocery"), ("recipes", "recipes"),
    ("expenses", "expenses"), ("duckduckgo", "duckduckgo"), ("mail", "gmail graph"), ("graph", "graph"),
    ("notion", "notion"), ("youtube", "youtube")]
TRADE = {name: place for place, (name, _) in enumerate(TRADES)}
MAIL = set("mail search_mail read mark move restore_mail draft send reply forward send_draft triage task of_task find_sent".split())
FEATURES = 35
# What a sentence counts that asks for nothing, of those that were written for this.
IDLE = 2.5
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
    """As PlannerModel.grams reads a sentence."""
    found = []
    previous = fnv("^")
    for word in re.findall(r"[a-z']+|[0-9]+|[?!.:,@]", "".join(c.lower() if c < "\x80" else c for c in text)):
        this = fnv("#" if word[0].isdigit() else word)
        for gram in (this, ((previous * 0x9E3779B97F4A7C15) & MASK64) ^ this):
            folded = (gram ^ (gram >> 32)) & 0xFFFFFFFF
            if folded not in found:
                found.append(folded)
        previous = this
    return found


KNOWN = {}


def inputs(table, texts, buckets):
    """The sentences as rows: twice the vector, the words and pairs of words, one."""
    import scipy.sparse as sparse
    new = [text for text in dict.fromkeys(texts) if text not in KNOWN]
    KNOWN.update((text, (vector, grams(text))) for text, vector in zip(new, table.embed(new)))
    rows, columns, values = [], [], []
    for i, text in enumerate(texts):
        found = KNOWN[text][1]
        for gram in found:
            rows.append(i)
            columns.append(gram & (buckets - 1))
            values.append(1 / np.sqrt(len(found)))
    lexical = sparse.csr_matrix((values, (rows, columns)), (len(texts), buckets), dtype=np.float32)
    vectors = np.array([KNOWN[text][0] for text in texts], np.float32).reshape(len(texts), table.dim)
    return sparse.hstack([sparse.csr_matrix(vectors * 2), lexical,
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


def softmax(inputs, wanted, weights, decay, count, rounds=70):
    from scipy.optimize import minimize
    n = inputs.shape[1]
    target = np.zeros((inputs.shape[0], count), np.float32)
    target[np.arange(len(wanted)), wanted] = 1
    turned = inputs.T.tocsr()

    def loss(b):
        b = b.reshape(n, count)
        p = chances(inputs, b)
        pull = b.copy()
        pull[-1] = 0
        value = -(weights * np.log(np.maximum((p * target).sum(1), 1e-12))).sum()
        slope = turned @ ((p - target) * weights[:, None])
        return value + decay / 2 * (pull ** 2).sum(), (slope + decay * pull).ravel()

    return minimize(loss, np.zeros(n * count), jac=True, method="L-BFGS-B", options={"maxiter": rounds}).x.reshape(n, count)


def chances(inputs, b):
    z = inputs @ b
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


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
    x = ((features - mean) * scale).astype(np.float32)
    weights = weights.astype(np.float32)
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
        z = x @ params[0].T.astype(np.float32) + params[1].astype(np.float32)
        h = np.maximum(z, 0)
        o = h @ params[2].astype(np.float32) + np.float32(params[3])
        p = 1 / (1 + np.exp(-np.clip(o, -30, 30)))
        d = (p - labels) * weights / total
        slopes = [None] * 4
        slopes[2] = h.T @ d + decay * params[2]
        slopes[3] = d.sum()
        dz = np.outer(d, params[2].astype(np.float32)) * (z > 0)
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


def write(path, table, request, trades, background, net):
    mean, scale, (w1, b1, w2, b2) = net
    most = np.abs(background).max(1, keepdims=True).clip(1e-6)
    rows = np.round(background * 127 / most).astype(np.int8)
    network = np.concatenate([mean, scale, np.concatenate([np.c_[w1, b1]]).ravel(), w2, [float(b2)]])
    most_trade = np.abs(trades[:-1]).max(0).clip(1e-6)
    names = b"".join(names.encode().ljust(32, b"\0") for _, names in TRADES)
    out = bytearray(b"TDPLN\0\0\2")
    out += struct.pack("<6I", table.dim, BUCKETS, len(rows), len(mean), len(w2), TRADE_BUCKETS) + table.version
    for part in (request.astype("<f4"), (most[:, 0] / 127).astype("<f4"), rows, network.astype("<f4"),
                 np.frombuffer(names, np.uint8), np.concatenate([most_trade / 127, trades[-1]]).astype("<f4"),
                 np.round(trades[:-1] * 127 / most_trade).astype(np.int8)):
        out += part.tobytes()
        out += bytes(-len(out) % 64)
    path.write_bytes(out)


# MARK: Making


def labelled(path):
    pairs = [line.split("\t") for line in path.read_text().splitlines() if "\t" in line and not line.startswith("#")]
    return [(f, t.strip()) for f, t in pairs]


def is_right(family, tool):
    space = tool.split(".")[0]
    return space == family or family == "mail" and space in ("gmail", "graph")


def trade_of(tool):
    space, name = tool.split(".", 1)
    return "mail" if space == "gmail" or space == "graph" and name in MAIL else space


def told(found, space, asking, sure):
    """The features that were learned: of asking and of the trade."""
    ask = max(-2, min(2, asking / 3))
    out = [ask, ask * sure]
    mine = [place for place, (_, names) in enumerate(TRADES) if space in names.split()]
    if found is None or not mine:
        return out + [0, 0, 0, 0, 0]
    own = found[mine].sum()
    other = max(p for place, p in enumerate(found) if place and place not in mine)
    return out + [1, own, other, found[0], np.sqrt(own)]


def main():
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("step", choices=["talk", "sentences", "network"])
    reader.add_argument("talk", help="talk.txt; of the step talk, dataset.json of the PyPI package chitchat-dataset")
    reader.add_argument("public", help="public.tsv, which public_sentences.py writes; of talk, what to write")
    reader.add_argument("tools", nargs="?", help="plan-tools.json, which the benchmark plan-features writes")
    reader.add_argument("features", nargs="?", help="plan-features.jsonl, which it writes with the model of the step sentences")
    reader.add_argument("--without", help="a family that nothing is learned of, to see how one of others fares")
    reader.add_argument("--out", help="what to write instead of model.bin")
    options = reader.parse_args()
    if options.step == "talk":
        talk = sorted({
            " ".join(m["text"].split()) for c in json.loads(pathlib.Path(options.talk).read_text()).values()
            for turn in c["messages"] for m in turn
            if 2 <= len(m["text"].split()) <= 30 and len(m["text"]) < 160 and m["text"].isascii()})
        random.Random(7).shuffle(talk)
        pathlib.Path(options.public).write_text("\n".join(talk[:16000]) + "\n")
        return
    table = Table(ROOT / "Host/Clib/CEmbedding/table.bin")
    path = pathlib.Path(options.out or ROOT / "Host/Clib/CPlannerModel/model.bin")
    tools = json.loads(pathlib.Path(options.tools).read_text())
    without = options.without
    chance = random.Random(5)
    rendered = [(trade_of(t["id"]), s) for t in tools for u in t["utterances"] for s in sentences(u, t["slots"], 4, chance)]
    unserved = [s for line in lines(HERE / "unserved.txt") for s in sentences(line, {}, 12, chance)]
    own = [(f, t) for f, t in labelled(ROOT / "Tests/Fixtures/planner/development.tsv")]
    public = labelled(pathlib.Path(options.public))
    nothing = [(f, t) for f, t in public if f == "none"]
    public = [(f, t) for f, t in public if f != "none"] + nothing[:5000]
    talk = lines(pathlib.Path(options.talk))
    talk_train, talk_fit = talk[:5000], talk[12000:13000]
    idle = [t for f, t in own if f == "none"]
    # Half of the idle sentences are what others are compared with; the network learns from the other half.
    compared = set(idle[1::2])
    background = unserved + idle[1::2] + talk[8000:8600]
    # (family, sentence, weight)
    corpus = [(f, s, 0.25) for f, s in rendered] + [("none", s, 0.4) for s in unserved]
    corpus += [("none", s, 0.1) for s in talk_train] + [(f, s, 1.5) for f, s in own]
    corpus += [(f, s, 0.07 if f == "none" else 0.2) for f, s in public]
    corpus = [row for row in corpus if row[0] in TRADE and row[0] != without]
    always = len(rendered)
    family = np.array([TRADE[f] for f, _, _ in corpus])
    weight = np.array([w for _, _, w in corpus], np.float32)
    texts = [s for _, s, _ in corpus]
    x_asking, x_trade = inputs(table, texts, BUCKETS), inputs(table, texts, TRADE_BUCKETS)

    def learn(chosen):
        asking = logistic(x_asking[chosen], (family[chosen] > 0).astype(float), weight[chosen], 1.0, 100)
        return asking, softmax(x_trade[chosen], family[chosen], weight[chosen], 0.15, len(TRADES))

    whole = learn(np.arange(len(texts)))
    if options.step == "sentences":
        net = (np.zeros(FEATURES), np.ones(FEATURES),
               [np.zeros((1, FEATURES)), np.zeros(1), np.zeros(1), np.array(0.0)])
        write(path, table, *whole, table.embed(background), net)
        return

    # Of each sentence what a model says that did not learn from it.
    traced = {}
    for line in pathlib.Path(options.features).read_text().splitlines():
        record = json.loads(line)
        traced[record["text"]] = [c for c in record["candidates"] if c["features"]]
    # Decided by rules before the planner.
    judged = [(f, t, IDLE if f == "none" else 1.0) for f, t in own if f not in ("account", "integrations") and t not in compared]
    judged += [(f, t, 0.2) for f, t in public if t in traced]
    judged += [("none", t, 0.25) for t in talk_fit]
    count = 4
    fold = {t: int(hashlib.md5(t.lower().encode()).hexdigest(), 16) % count for t in texts + [t for _, t, _ in judged]}
    of_text = np.array([fold[t] for t in texts])
    found, asking = {}, {}
    for k in range(count):
        chosen = np.flatnonzero((of_text != k) | (np.arange(len(texts)) < always))
        b, c = learn(chosen)
        out = sorted({t for _, t, _ in judged if fold[t] == k})
        asking |= dict(zip(out, inputs(table, out, BUCKETS) @ b))
        found |= dict(zip(out, chances(inputs(table, out, TRADE_BUCKETS), c)))
    x, y, w, group, owner = [], [], [], [], []
    for f, text, heavy in judged:
        candidates = traced.get(text, [])
        right = [c for c in candidates if is_right(f, c["tool"])]
        best = max(right, key=lambda c: c["features"][0] + 0.8 * c["features"][10]) if right else None
        # A second time as if the trade it is for, or seems to be for, had not been learned.
        foremost = (best or max(candidates, key=lambda c: c["features"][0] + 0.8 * c["features"][10], default=None))
        strange = {foremost["tool"].split(".")[0]} if foremost else set()
        for hidden in (set(), strange) if len(owner) % 2 else (set(),):
            for c in candidates:
                space = c["tool"].split(".")[0]
                values = list(c["features"])
                learned = told(None if space in hidden else found[text], space, asking[text], values[0])
                values[18:20], values[30:35] = learned[:2], learned[2:]
                x.append(values)
                y.append(c is best)
                w.append(heavy * (0.5 if hidden else 1) * (0.15 if c in right and c is not best else 1.0))
                group.append(fold[text])
                owner.append(None if hidden else (text, c["tool"], values[26] + 2 * values[27]))
    x, y, w, group = np.array(x, float), np.array(y, float), np.array(w), np.array(group)
    said = np.zeros(len(y))
    for k in range(count):
        nets = [fit(x[group != k], y[group != k], w[group != k], 16, seed=q, rounds=300, decay=1e-3) for q in range(1)]
        said[group == k] = beliefs(together(nets), x[group == k])
    report(judged, owner, said)
    nets = [fit(x, y, w, 16, seed=q, rounds=400, decay=1e-3) for q in range(4)]
    write(path, table, *whole, table.embed(background), together(nets))


def report(judged, owner, said):
    """What would be planned at several bars, by cross-validation."""
    by_text = {}
    for who, p in zip(owner, said):
        if who:
            by_text.setdefault(who[0], []).append((p, who[1], who[2]))
    planned = {}
    for text, rows in by_text.items():
        sums = {}
        for p, tool, _ in rows:
            sums[tool.split(".")[0]] = sums.get(tool.split(".")[0], 0) + p
        best = (0, None, 0)
        for space in sums:
            p, tool, effect = max(r for r in rows if r[1].split(".")[0] == space)
            if effect < 2:
                p += max(0, min(min(1, sums[space]) - p, p))
            best = max(best, (p, tool, effect))
        planned[text] = best
    own = [(f, t) for f, t, heavy in judged if heavy in (1, IDLE)]
    talk = [t for f, t, heavy in judged if heavy == 0.25]
    for bars in ((0.4, 0.45, 0.6), (0.45, 0.55, 0.7), (0.5, 0.55, 0.7), (0.55, 0.6, 0.7), (0.6, 0.65, 0.7), (0.65, 0.7, 0.8)):
        def tool(text):
            p, tool, effect = planned.get(text, (0, None, 0))
            return tool if tool and p >= bars[int(effect)] else None
        print(f"bars {bars}: right {np.mean([is_right(f, tool(t) or '.') for f, t in own if f != 'none']):.3f}",
              f"idle planned {np.mean([tool(t) is not None for f, t in own if f == 'none']):.3f},",
              f"talk {np.mean([tool(t) is not None for t in talk]):.3f}", flush=True)


if __name__ == "__main__":
    main()
