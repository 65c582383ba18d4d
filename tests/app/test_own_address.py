import pytest

from edged.app.own_address import base_url
from edged.settings.http import Client, Http, HttpTls
from edged.settings.quantities import Secret

CLIENTS = (Client(id="one", secret=Secret("0123456789abcdef")),)
TLS = HttpTls(certificate_file="c.pem", key_file="k.pem")


@pytest.mark.parametrize(
    ("listen", "tls", "address"),
    [
        ("127.0.0.1:8080", None, "http://127.0.0.1:8080"),
        ("192.168.1.20:443", TLS, "https://192.168.1.20:443"),
        ("0.0.0.0:8080", None, "http://porch:8080"),
        ("[::]:8443", TLS, "https://porch:8443"),
        ("[::1]:8080", None, "http://[::1]:8080"),
        ("camera.example:8080", None, "http://camera.example:8080"),
    ],
)
def test_without_a_public_url_it_is_where_the_server_listens(listen, tls, address):
    assert base_url(Http(listen=listen, tls=tls, clients=CLIENTS), "porch") == address


def test_a_public_url_is_taken_as_it_is():
    http = Http(listen="127.0.0.1:8080", public_url="https://example.org/camera", clients=CLIENTS)

    assert base_url(http, "porch") == "https://example.org/camera"
