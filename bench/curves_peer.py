"""Runs in the environment of the curves: one peer over one set of vectors, one line of JSON for each figure.

    curves_peer.py truth DIRECTORY DIMENSION             writes the true nearest, of all rows and of every share of them
    curves_peer.py PEER DIRECTORY DIMENSION HOME         builds, or loads what it built before, and searches

The directory holds base, queries (32-bit floats, rows of length 1) and what `truth` wrote. Seconds are of this process's CPU.
"""
import json
import pathlib
import sys
import time

import numpy

K, M, CONSTRUCTION = 10, 16, 200
EFFORTS = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
# Of how many of the rows a filter holds.
SHARES = [0.001, 0.01, 0.1, 0.5, 1.0]
ENOUGH = 0.995
WARM = 20


def numbers(path, dimension):
    return numpy.memmap(path, dtype="<f4", mode="r").reshape(-1, dimension)


def chosen(rows, share):
    """The rows of which a filter holds, the same ones for everybody."""
    return (numpy.arange(rows, dtype=numpy.uint64) * 2654435761 % 2**32) < share * 2**32


def nearest(base, queries):
    """The nearest rows of each query: twice as many in single precision, and the best of those in double."""
    best, wide = [], min(2 * K, len(base))
    for first in range(0, len(queries), 100):
        some = queries[first:first + 100]
        rows = numpy.argpartition(-(some @ base.T), wide - 1, axis=1)[:, :wide]
        for query, near in zip(some.astype("f8"), rows):
            scores = base[near].astype("f8") @ query
            best.append(near[numpy.argsort(-scores)[:K]])
    return numpy.array(best).astype("<u4")


def truth(directory, dimension):
    base, queries = (numbers(directory / name, dimension) for name in ("base", "queries"))
    for share in SHARES:
        rows = numpy.flatnonzero(chosen(len(base), share)).astype("<u4")
        rows[nearest(base[rows], queries)].tofile(directory / f"truth.{share}")


def unbacked():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))


class Hnswlib:
    filters = False

    def __init__(self, base, place):
        import hnswlib
        self.index = hnswlib.Index("ip", base.shape[1])
        self.place = place / "index"
        if self.place.exists():
            self.index.load_index(str(self.place))
        else:
            self.index.init_index(len(base), M=M, ef_construction=CONSTRUCTION)
            self.index.add_items(base, num_threads=1)

    def keep(self):
        self.index.save_index(str(self.place))

    def search(self, query, effort, rows):
        self.index.set_ef(effort)
        return self.index.knn_query(query, K, num_threads=1)[0][0]


class Faiss:
    filters = True

    def __init__(self, base, place):
        import faiss
        self.faiss, self.place = faiss, place / "index"
        faiss.omp_set_num_threads(1)
        if self.place.exists():
            self.index = faiss.read_index(str(self.place))
        else:
            self.index = self.empty(base.shape[1])
            self.index.train(base)
            self.index.hnsw.efConstruction = CONSTRUCTION
            self.index.add(base)

    def empty(self, dimension):
        return self.faiss.IndexHNSWFlat(dimension, M, self.faiss.METRIC_INNER_PRODUCT)

    def keep(self):
        self.faiss.write_index(self.index, str(self.place))

    def search(self, query, effort, rows):
        settings = self.faiss.SearchParametersHNSW(efSearch=effort)
        if rows is not None:
            settings.sel = self.faiss.IDSelectorBitmap(numpy.packbits(rows, bitorder="little"))
        return self.index.search(query[None], K, params=settings)[1][0]


class FaissBytes(Faiss):
    def empty(self, dimension):
        return self.faiss.IndexHNSWSQ(dimension, self.faiss.ScalarQuantizer.QT_8bit, M, self.faiss.METRIC_INNER_PRODUCT)


class Usearch:
    filters = False

    def __init__(self, base, place):
        from usearch.index import Index
        self.index = Index(ndim=base.shape[1], metric="ip", dtype="f32", connectivity=M, expansion_add=CONSTRUCTION)
        self.place = place / "index"
        if self.place.exists():
            self.index.load(str(self.place))
        else:
            self.index.add(numpy.arange(len(base)), base, threads=1)

    def keep(self):
        self.index.save(str(self.place))

    def search(self, query, effort, rows):
        self.index.expansion_search = effort
        return self.index.search(query, K, threads=1).keys


class Lance:
    """An inverted file over graphs of bytes, whose parts are searched one after another and refined by the vectors."""

    filters = True

    def __init__(self, base, place):
        import lancedb
        import pyarrow
        from lancedb.index import HnswSq
        database, known = lancedb.connect(str(place)), (place / "rows.lance").exists()
        if known:
            self.table = database.open_table("rows")
            return
        vectors = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(numpy.asarray(base).reshape(-1)), base.shape[1])
        place_of = pyarrow.array(numpy.arange(len(base), dtype=numpy.uint32) * numpy.uint32(2654435761))
        self.table = database.create_table("rows", pyarrow.table({"vector": vectors, "place": place_of, "row": pyarrow.array(numpy.arange(len(base)))}))
        self.table.create_index("vector", config=HnswSq(distance_type="dot", m=M, ef_construction=CONSTRUCTION))
        self.table.create_scalar_index("place")

    def keep(self):
        pass

    def search(self, query, effort, rows):
        asked = self.table.search(query).distance_type("dot").nprobes(max(1, effort // 16)).ef(max(effort, 2 * K)).refine_factor(2).limit(K).select(["row", "_distance"])
        if rows is not None:
            asked = asked.where(f"place <= {int(self.share * 2**32) - 1}", prefilter=True)
        return asked.to_arrow()["row"].to_pylist()


class Qdrant:
    filters = True

    def __init__(self, base, place):
        import qdrant_edge as edge
        self.edge, home = edge, place / "shard"
        if home.exists():
            self.shard = edge.EdgeShard.load(str(home))
            return
        home.mkdir()
        graph = edge.HnswIndexConfig(m=M, ef_construct=CONSTRUCTION, full_scan_threshold=10_000, max_indexing_threads=1)
        settings = edge.EdgeVectorParams(size=base.shape[1], distance=edge.Distance.Dot, hnsw_config=graph)
        optimizers = edge.EdgeOptimizersConfig(default_segment_number=1)
        self.shard = edge.EdgeShard.create(str(home), edge.EdgeConfig(vectors={"v": settings}, optimizers=optimizers, max_search_threads=1))
        self.shard.update(edge.UpdateOperation.create_field_index("place", edge.PayloadSchemaType.Float))
        for first in range(0, len(base), 1000):
            rows = range(first, min(first + 1000, len(base)))
            points = [edge.Point(row, {"v": base[row].tolist()}, {"place": float(row * 2654435761 % 2**32)}) for row in rows]
            self.shard.update(edge.UpdateOperation.upsert_points(points))
        while self.shard.optimize():
            pass

    def keep(self):
        self.shard.flush()

    def search(self, query, effort, rows):
        edge, fits = self.edge, None
        if rows is not None:
            below = edge.RangeFloat(lt=self.share * 2.0**32)
            fits = edge.Filter(must=[edge.FieldCondition("place", range=below)])
        asked = edge.SearchRequest(edge.Query.Nearest(query.tolist(), "v"), K, filter=fits, params=edge.SearchParams(hnsw_ef=effort))
        return [point.id for point in self.shard.search(asked)]


PEERS = {"hnswlib": Hnswlib, "faiss HNSW": Faiss, "faiss HNSW-SQ8": FaissBytes, "usearch": Usearch, "LanceDB": Lance, "qdrant-edge": Qdrant}


def tell(**figures):
    print(json.dumps(figures), flush=True)


def measured(peer, queries, true, effort, share, rows):
    """Recall of all queries and CPU seconds of each, one after another."""
    peer.share = share
    for query in queries[:WARM]:
        peer.search(query, effort, rows)
    began = time.process_time()
    found = [peer.search(query, effort, rows) for query in queries]
    seconds = (time.process_time() - began) / len(queries)
    recall = numpy.mean([len(set(map(int, some)) & set(map(int, best))) / K for some, best in zip(found, true)])
    tell(effort=str(effort), share=share, recall=float(recall), seconds=seconds)
    return recall


def main():
    name, directory, dimension = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    if name == "truth":
        truth(directory, dimension)
        return
    home = pathlib.Path(sys.argv[4])
    base, queries = (numbers(directory / file, dimension) for file in ("base", "queries"))
    figures, before, began = home / "built.json", unbacked(), time.process_time()
    home.mkdir(parents=True, exist_ok=True)
    peer = PEERS[name](base, home)
    seconds, kept = time.process_time() - began, unbacked() - before
    if figures.exists():
        tell(loaded=seconds, **json.loads(figures.read_text()))
    else:
        built = {"built": seconds, "bytes": kept / len(base)}
        peer.keep()
        figures.write_text(json.dumps(built))
        tell(**built)
    true = {share: numpy.fromfile(directory / f"truth.{share}", "<u4").reshape(-1, K) for share in SHARES}
    efforts = []
    for effort in EFFORTS:
        efforts.append((measured(peer, queries, true[1.0], effort, 1.0, None), effort))
        if efforts[-1][0] > ENOUGH:
            break
    # Filters are measured at the least effort that finds enough without one.
    effort = next((effort for recall, effort in efforts if recall >= 0.98), efforts[-1][1])
    for share in SHARES if peer.filters else []:
        measured(peer, queries, true[share], effort, share, chosen(len(base), share))


if __name__ == "__main__":
    main()
