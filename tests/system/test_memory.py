import ctypes
import subprocess
import sys

import pytest

from edged.system.memory import resident_bytes

HAS_MALLOPT = hasattr(ctypes.CDLL(None), "mallopt")

HEAPS = """
import ctypes, sys, threading
from edged.system.memory import keep_little
if sys.argv[1:] == ["little"]:
    keep_little()
held = []
begun = threading.Barrier(9)
def work():
    held.append(bytearray(50_000))
    begun.wait()
    begun.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
begun.wait()
libc = ctypes.CDLL(None)
libc.open_memstream.restype = ctypes.c_void_p
text, size = ctypes.c_char_p(), ctypes.c_size_t()
stream = ctypes.c_void_p(libc.open_memstream(ctypes.byref(text), ctypes.byref(size)))
libc.malloc_info(0, stream)
libc.fclose(stream)
print(text.value.count(b"<heap nr="))
begun.wait()
for thread in threads: thread.join()
"""


def heaps_of(*arguments: str) -> int:
    done = subprocess.run([sys.executable, "-c", HEAPS, *arguments], capture_output=True, check=True)
    return int(done.stdout)


def test_resident_memory_is_that_of_a_python_process() -> None:
    assert 5_000_000 < resident_bytes() < 5_000_000_000


@pytest.mark.skipif(not HAS_MALLOPT, reason="the C library is not glibc")
def test_all_threads_share_one_heap() -> None:
    assert heaps_of("little") == 1
    assert heaps_of() > 1
