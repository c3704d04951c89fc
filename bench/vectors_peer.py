"""Runs in the peers' environment: exact search with numpy or faiss, as one process that prints what it found and its times.

    vectors_peer.py numpy|faiss VECTORS QUERIES DIMENSION K THREADS
"""
import json
import sys
import time

import faiss
import numpy


def with_numpy(rows, k):
    """The inner products by BLAS, the best by partition, those sorted."""

    def search(query):
        products = rows @ query
        best = numpy.argpartition(-products, k)[:k]
        return best[numpy.argsort(-products[best])]

    return search


def with_faiss(rows, k):
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return lambda query: index.search(query[None], k)[1][0]


def main():
    engine, rows, queries, dimension, k, threads = sys.argv[1:]
    faiss.omp_set_num_threads(int(threads))
    rows, queries = (numpy.fromfile(path, dtype="<f4").reshape(-1, int(dimension)) for path in (rows, queries))
    search = {"numpy": with_numpy, "faiss": with_faiss}[engine](rows, int(k))
    found, seconds = [], []
    for query in queries:
        began = time.perf_counter()
        best = search(query)
        seconds.append(time.perf_counter() - began)
        found.append([int(row) for row in best])
    json.dump({"seconds": seconds, "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
