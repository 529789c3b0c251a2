#include "lib/http/tls.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "lib/http/client.h"
#include "lib/http/loopback_fixture.h"

namespace http {
namespace {

using namespace std::chrono_literals;

// A key and a self-signed certificate for "localhost", "a.example" and 127.0.0.1.
class Certificate {
 public:
  Certificate() {
    char name[] = "/tmp/tls-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, key);
    X509_NAME* const subject = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(made, subject);
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                      "DNS:localhost,DNS:a.example,IP:127.0.0.1");
    X509_add_ext(made, names, -1);
    X509_sign(made, key, EVP_sha256());
    write(files().certificate_chain, [made](FILE* to) { PEM_write_X509(to, made); });
    write(files().private_key, [key](FILE* to) {
      PEM_write_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    X509_EXTENSION_free(names);
    X509_free(made);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }

  TlsFiles files() const { return {folder_ + "/certificate.pem", folder_ + "/key.pem"}; }

 private:
  template <class Print>
  static void write(const std::string& path, Print print) {
    FILE* const file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    print(file);
    std::fclose(file);
  }
  std::string folder_;
};

runtime::Task<Response> echo(Request& request) {
  Response response;
  response.body = *co_await read_all(*request.body, 10'000'000);
  if (request.path == "/until-close") response.stream = body_of(response.body);
  response.headers.add("X-Tls", request.peer->tls ? "yes" : "no");
  co_return response;
}

Listen listen_with(const TlsFiles& files) {
  Listen listen;
  listen.tls = files;
  return listen;
}

struct TlsSite {
  Certificate certificate;
  LoopbackServer server;
  explicit TlsSite(ServerOptions options = {})
      : server(echo, std::move(options), listen_with(certificate.files())) {}
};

struct Outcome {
  base::Result<ClientResponse> response = base::fail(base::ErrorKind::Internal, "not asked");
  std::string body;
};

runtime::Task<void> post(base::Clock& clock, std::string url, std::string ca, std::string body,
                         int times, Outcome& outcome) {
  const auto client = Client::open(co_await runtime::this_executor(), clock,
                                   ClientOptions{.ca_file = std::move(ca)});
  for (int i = 0; i < times; ++i) {
    ClientRequest request;
    request.method = "POST";
    request.url = *Url::parse(url);
    request.body = body;
    outcome.response = co_await client->send(std::move(request), clock.now() + 10s);
    if (!outcome.response) co_return;
    const auto got = co_await read_all(*outcome.response->body, 10'000'000);
    outcome.body = got ? *got : got.error().message;
  }
}

Outcome ask(TlsSite& site, const std::string& host, const std::string& ca,
            std::string body = "over TLS", int times = 1) {
  Outcome outcome;
  const std::string url = "https://" + host + ":" + std::to_string(site.server.port()) + "/";
  runtime::block_on(post(site.server.clock(), url, ca, std::move(body), times, outcome));
  return outcome;
}

TEST(HttpTls, CarriesRequestsOverOneVerifiedConnection) {
  TlsSite site;
  const std::string large(2'000'000, 't');
  const Outcome outcome =
      ask(site, "localhost", site.certificate.files().certificate_chain, large, 3);
  ASSERT_TRUE(outcome.response.has_value()) << base::describe(outcome.response.error());
  EXPECT_EQ(outcome.response->headers.find("X-Tls"), "yes");
  EXPECT_EQ(outcome.body, large);
}

TEST(HttpTls, AddressesAreVerifiedAsAddresses) {
  TlsSite site;
  const std::string ca = site.certificate.files().certificate_chain;
  EXPECT_EQ(ask(site, "127.0.0.1", ca).body, "over TLS");
  EXPECT_FALSE(ask(site, "127.0.0.2", ca).response.has_value());
}

TEST(HttpTls, UnknownIssuerAndOtherNameAreRefused) {
  TlsSite site;
  const Outcome unknown = ask(site, "localhost", "");
  ASSERT_FALSE(unknown.response.has_value());
  EXPECT_NE(unknown.response.error().message.find("self-signed"), std::string::npos);
  const Outcome other = ask(site, "b.localhost", site.certificate.files().certificate_chain);
  ASSERT_FALSE(other.response.has_value());
  EXPECT_NE(other.response.error().message.find("hostname mismatch"), std::string::npos);
  EXPECT_FALSE(ask(site, "localhost", "/nowhere.pem").response.has_value());
}

TEST(HttpTls, HandshakeIsLimitedInTime) {
  ServerOptions options;
  options.limits.head_timeout = 50ms;
  TlsSite site(options);
  RawClient silent(site.server.port());
  EXPECT_EQ(silent.read_to_end(), "");
}

TEST(HttpTls, PlainRequestIsNotServed) {
  TlsSite site;
  RawClient plain(site.server.port());
  ASSERT_TRUE(plain.send(get("/")));
  EXPECT_EQ(plain.read_to_end().find("HTTP/1.1"), std::string::npos);
}

// A blocking client of OpenSSL's own, to offer what ours would not.
std::string raw_tls(const TlsSite& site, int version_max, std::string_view protocols,
                    std::string_view request) {
  RawClient tcp(site.server.port());
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_max_proto_version(context, version_max);
  SSL* const ssl = SSL_new(context);
  SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
  SSL_set_fd(ssl, tcp.fd());
  std::string result = "no handshake";
  if (SSL_connect(ssl) == 1) {
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl, &chosen, &length);
    result = std::string(SSL_get_version(ssl)) + " " +
             std::string(reinterpret_cast<const char*>(chosen), length);
    SSL_write(ssl, request.data(), static_cast<int>(request.size()));
    char buffer[4096];
    int got = 0;
    while ((got = SSL_read(ssl, buffer, sizeof buffer)) > 0) {
      result.append(buffer, static_cast<std::size_t>(got));
    }
    result += SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN ? " proper end" : " cut";
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  return result;
}

TEST(HttpTls, SpeaksTls12And13AndHttp1Only) {
  TlsSite site;
  const std::string close = get("/", "Connection: close\r\n");
  EXPECT_EQ(raw_tls(site, TLS1_1_VERSION, {}, close), "no handshake");
  const std::string old = raw_tls(site, TLS1_2_VERSION, {}, close);
  EXPECT_TRUE(old.starts_with("TLSv1.2 HTTP/1.1 200")) << old;
  EXPECT_TRUE(old.ends_with(" proper end")) << old;
  const std::string both = raw_tls(site, TLS1_3_VERSION, "\x02h2\x08http/1.1", close);
  EXPECT_TRUE(both.starts_with("TLSv1.3 http/1.1HTTP/1.1 200")) << both;
  EXPECT_EQ(raw_tls(site, TLS1_3_VERSION, "\x02h2", close), "no handshake");
}

TEST(HttpTls, UnusableFilesAreNamed) {
  LoopbackServer server(echo);
  const auto refused = server.server().listen(listen_with({"/nowhere.pem", "/nowhere.key"}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("/nowhere.pem"), std::string::npos);
}

}  // namespace
}  // namespace http
