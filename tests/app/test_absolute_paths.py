from pathlib import Path

import pytest

from edged.app.absolute_paths import with_absolute_paths
from edged.settings.http import Client, Http, HttpTls
from edged.settings.quantities import Secret
from edged.settings.recognition import Models

BASE = Path("/etc/edged")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("libedgetpu.so.1", "libedgetpu.so.1"),
        ("./libmine.so", "/etc/edged/libmine.so"),
        ("lib/libmine.so", "/etc/edged/lib/libmine.so"),
        ("/opt/libmine.so", "/opt/libmine.so"),
    ],
)
def test_a_delegate_is_a_path_or_a_name_that_the_systems_loader_finds(written: str, meant: str) -> None:
    assert with_absolute_paths(Models(delegate=written), BASE).delegate == meant


def test_the_folder_of_own_models_is_relative_to_the_configuration() -> None:
    assert with_absolute_paths(Models(directory="models"), BASE).directory == "/etc/edged/models"
    assert with_absolute_paths(Models(), BASE) == Models()


def test_certificate_and_key_of_the_server_are_relative_to_the_configuration() -> None:
    client = Client(id="home-automation", secret=Secret("home-automation"))
    tls = HttpTls(certificate_file="tls/edged.pem", key_file="/etc/ssl/edged.key")
    made = with_absolute_paths(Http(clients=(client,), tls=tls), BASE)
    assert made.tls == HttpTls(certificate_file="/etc/edged/tls/edged.pem", key_file="/etc/ssl/edged.key")
    assert made.clients == (client,)
