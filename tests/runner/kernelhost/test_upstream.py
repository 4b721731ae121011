"""Towards the data source: SCRAM always, and TLS that is verified when it is asked for."""

import asyncio
import datetime
import hashlib
import ssl
import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scramp import ScramMechanism

from runner.kernelhost.protocol import DataSource, SourceLimits
from runner.kernelhost.proxy import upstream
from runner.kernelhost.proxy.frames import SSL_REQUEST, Frame, cancel_request
from runner.kernelhost.proxy.upstream import UpstreamRefused, connect

pytestmark = pytest.mark.security
PASSWORD = "password-of-the-run"


def source(port, *, host="127.0.0.1", sslmode="disable"):
    return DataSource(
        "hospital", host, port, "postgres", "r_1", PASSWORD, sslmode, SourceLimits()
    )


class FakeServer:
    """Says what it is told to say, and remembers what it heard."""

    def __init__(self, *answers):
        self.answers = answers
        self.heard = b""

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        for answer in self.answers:
            self.heard += await reader.read(10_000)
            writer.write(answer)
        self.heard += await reader.read(10_000)
        writer.close()


def authentication(step, body=b""):
    return Frame(b"R", struct.pack("!I", step) + body).encode()


@pytest.mark.parametrize(
    "answer",
    [
        authentication(0),
        authentication(3),
        authentication(5, b"salt"),
        authentication(10, b"SCRAM-SHA-1\0\0"),
        authentication(12, b"v=forged"),
    ],
    ids=["no password", "clear text", "md5", "another mechanism", "out of order"],
)
async def test_a_server_that_does_not_ask_for_scram_is_refused(answer):
    async with FakeServer(answer) as server:
        with pytest.raises(UpstreamRefused) as refused:
            await connect(source(server.port), {})
    assert refused.value.sqlstate == "28000"
    assert PASSWORD.encode() not in server.heard


async def test_a_server_that_cannot_prove_itself_is_refused():
    first = authentication(10, b"SCRAM-SHA-256\0\0")
    forged = authentication(11, b"r=not-our-nonce,s=c2FsdA==,i=4096")
    async with FakeServer(first, forged) as server:
        with pytest.raises(UpstreamRefused) as refused:
            await connect(source(server.port), {})
    assert refused.value.sqlstate == "08001"


@pytest.mark.parametrize("answer", [b"N", b"Sinjected", b"E"])
async def test_encryption_is_not_negotiable(answer):
    async with FakeServer(answer) as server:
        with pytest.raises(UpstreamRefused) as refused:
            await connect(source(server.port, sslmode="verify-full"), {})
    assert refused.value.sqlstate == "08001"
    assert PASSWORD.encode() not in server.heard


async def test_a_server_that_is_silent_is_given_up(monkeypatch):
    monkeypatch.setattr(upstream, "CONNECT_TIMEOUT_S", 0.3)
    async with FakeServer(b"") as server:
        with pytest.raises(UpstreamRefused):
            await connect(source(server.port), {})


def test_a_cancel_request_is_what_the_manual_says():
    assert cancel_request(7, 9) == struct.pack("!IIII", 16, 80877102, 7, 9)


def certificate():
    """A self-signed certificate for localhost: (certificate, key), as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


class EncryptedServer:
    """Speaks TLS and SCRAM as PostgreSQL does; the embedded build has no TLS of its own."""

    def __init__(self, folder):
        self.root = folder / "root.crt"
        public, private = certificate()
        self.root.write_text(public)
        (folder / "server.key").write_text(private)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.root, folder / "server.key")
        self.used = None

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        try:
            await self.talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    async def talk(self, reader, writer):
        assert await reader.readexactly(8) == struct.pack("!II", 8, SSL_REQUEST)
        writer.write(b"S")
        await writer.start_tls(self.context)
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        assert b"r_1" in await reader.readexactly(length - 4)
        writer.write(authentication(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"))
        name, first = (await self.password(reader)).split(b"\0", 1)
        self.used = name.decode()
        binding = (
            "tls-server-end-point",
            ssl.PEM_cert_to_DER_cert(self.root.read_text()),
        )
        binding = (binding[0], hashlib.sha256(binding[1]).digest())
        mechanism = ScramMechanism(self.used)
        known = mechanism.make_auth_info(PASSWORD)
        scram = mechanism.make_server(lambda _: known, channel_binding=binding)
        scram.set_client_first(first[4:].decode())
        writer.write(authentication(11, scram.get_server_first().encode()))
        scram.set_client_final((await self.password(reader)).decode())
        writer.write(authentication(12, scram.get_server_final().encode()))
        writer.write(authentication(0) + Frame(b"Z", b"I").encode())

    async def password(self, reader):
        kind, length = struct.unpack("!cI", await reader.readexactly(5))
        assert kind == b"p"
        return await reader.readexactly(length - 4)


async def test_a_verified_server_is_used_with_channel_binding(tmp_path, monkeypatch):
    async with EncryptedServer(tmp_path) as server:
        monkeypatch.setenv("PGSSLROOTCERT", str(server.root))
        made = await connect(
            source(server.port, host="localhost", sslmode="verify-full"), {}
        )
        assert made.greeting[-1].kind == b"Z"
        assert server.used == "SCRAM-SHA-256-PLUS"
        made.close()


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1"], ids=["unknown root", "another name"]
)
async def test_a_server_that_nobody_vouches_for_is_refused(tmp_path, monkeypatch, host):
    async with EncryptedServer(tmp_path) as server:
        monkeypatch.delenv("PGSSLROOTCERT", raising=False)
        if host == "127.0.0.1":
            monkeypatch.setenv("PGSSLROOTCERT", str(server.root))
        with pytest.raises(UpstreamRefused) as refused:
            await connect(source(server.port, host=host, sslmode="verify-full"), {})
        assert server.used is None
    assert refused.value.sqlstate == "08001"
