"""Search in a large gallery, over the bare matrix product of the same size in the same run."""

import gc
import time
from dataclasses import replace

import numpy as np
from footage import percentile

from edged.domain.face import EMBEDDING_SIZE
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.inference.calibration import load_calibration
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.recognition.gallery import Gallery

SEARCHES = 400
BUDGET_MS = {100_000: 3.0, 1_000_000: 30.0}


def main() -> None:
    """Print p50 and p99 for both sizes."""
    random = np.random.default_rng(0)
    catalogue = Catalogue()
    calibration = load_calibration(catalogue, catalogue.embedder_for("auto", find_runtime().name))
    for people, budget_ms in BUDGET_MS.items():
        templates = random.standard_normal((people, EMBEDDING_SIZE), np.float32)
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        somebody = Identity("id", "", None, 0, 0)
        people_at_once = (
            IdentityFaces(replace(somebody, id=str(n)), t[None]) for n, t in enumerate(templates)
        )
        gallery = Gallery.empty(calibration).with_change(GalleryChange(1, tuple(people_at_once), ()))
        probes = random.standard_normal((SEARCHES, EMBEDDING_SIZE), np.float32)
        floor, search = [], []
        for probe in probes:
            begun = time.perf_counter()
            templates @ probe
            middle = time.perf_counter()
            gallery.best_match(probe)
            floor.append((middle - begun) * 1000)
            search.append((time.perf_counter() - middle) * 1000)
        ratio = percentile(search, 0.5) / percentile(floor, 0.5)
        print(
            f"gallery of {people} templates: p50 {percentile(search, 0.5):.2f} ms,"
            f" p99 {percentile(search, 0.99):.2f} ms (budget p99 {budget_ms} ms),"
            f" {ratio:.2f} x the bare product"
        )
        del templates, gallery
        gc.collect()


if __name__ == "__main__":
    main()
