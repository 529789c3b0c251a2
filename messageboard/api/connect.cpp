#include "messageboard/api/connect.h"

#include <fmt/core.h>
#include <libpq-fe.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>

#include <array>
#include <memory>
#include <vector>

#include "lib/base/encoding.h"

namespace messageboard {
namespace {

namespace asio = runtime::asio;
using base::Result;
using runtime::Task;
using Descriptor = asio::posix::basic_stream_descriptor<runtime::Executor>;
using Tcp = asio::ip::tcp;
using Resolver = asio::ip::basic_resolver<Tcp, runtime::Executor>;

std::unexpected<base::Error> unavailable(std::string detail) {
  auto failure =
      base::fail(base::ErrorKind::Unavailable, "The database is not available, try again later");
  failure.error().detail = std::move(detail);
  return failure;
}

std::unexpected<base::Error> unavailable(PGconn* connection) {
  return unavailable(one_line(PQerrorMessage(connection)));
}

// Waits on libpq's socket, which libpq may exchange for another at any step of a connection: so
// each wait watches it anew and lets go of it again.
Task<Result<void>> wait_for(PGconn* connection, Descriptor::wait_type what, base::Clock& clock,
                            base::Timestamp deadline) {
  const runtime::Executor own = co_await runtime::this_executor();
  const auto socket = std::make_shared<Descriptor>(own, PQsocket(connection));
  const base::TimerId timer = clock.call_at(deadline, [own, socket] {
    asio::post(own, [socket] {
      if (socket->is_open()) socket->cancel();
    });
  });
  boost::system::error_code error;
  co_await socket->async_wait(what, asio::redirect_error(runtime::use_task, error));
  clock.cancel(timer);
  socket->release();
  if (error) co_return unavailable("no answer in time");
  co_return Result<void>();
}

Task<Result<std::vector<std::string>>> resolve(std::string host, std::uint16_t port,
                                               base::Clock& clock, base::Timestamp deadline) {
  const runtime::Executor own = co_await runtime::this_executor();
  const auto resolver = std::make_shared<Resolver>(own);
  const base::TimerId timer = clock.call_at(
      deadline, [own, resolver] { asio::post(own, [resolver] { resolver->cancel(); }); });
  boost::system::error_code error;
  const auto found = co_await resolver->async_resolve(
      host, std::to_string(port), asio::redirect_error(runtime::use_task, error));
  clock.cancel(timer);
  if (error) co_return unavailable(fmt::format("cannot resolve {}: {}", host, error.message()));
  std::vector<std::string> addresses;
  for (const auto& entry : found) addresses.push_back(entry.endpoint().address().to_string());
  co_return addresses;
}

Task<Result<Connection>> open(DatabaseAddress address, std::string numeric, base::Clock& clock,
                              base::Timestamp deadline) {
  const std::string port = std::to_string(address.port);
  // A peer that vanished without a word (a failed-over primary) must not be waited for for minutes.
  const std::array<const char*, 13> keys = {"host",
                                            "hostaddr",
                                            "port",
                                            "user",
                                            "password",
                                            "dbname",
                                            "application_name",
                                            "client_encoding",
                                            "target_session_attrs",
                                            "keepalives_idle",
                                            "keepalives_interval",
                                            "tcp_user_timeout",
                                            nullptr};
  const std::array<const char*, 13> values = {address.host.c_str(),
                                              numeric.c_str(),
                                              port.c_str(),
                                              address.user.c_str(),
                                              address.password.c_str(),
                                              address.name.c_str(),
                                              "messageboard",
                                              "UTF8",
                                              "read-write",
                                              "5",
                                              "2",
                                              "5000",
                                              nullptr};
  Connection connection(PQconnectStartParams(keys.data(), values.data(), 0));
  if (!connection) co_return unavailable("out of memory");
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (PQstatus(connection.get()) == CONNECTION_BAD) co_return unavailable(connection.get());
    const auto what =
        step == PGRES_POLLING_READING ? Descriptor::wait_read : Descriptor::wait_write;
    CO_TRY_VOID(co_await wait_for(connection.get(), what, clock, deadline));
    step = PQconnectPoll(connection.get());
    if (step == PGRES_POLLING_FAILED) co_return unavailable(connection.get());
  }
  // Notices tell that a table is there already: not worth a line on standard error.
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection.get(), 1) != 0) co_return unavailable(connection.get());
  co_return connection;
}

// Sends what PQsend... has queued and gives the last result.
Task<Result<Rows>> finish_query(PGconn* connection, base::Clock& clock, base::Timestamp deadline) {
  for (int left = PQflush(connection); left != 0; left = PQflush(connection)) {
    if (left < 0) co_return unavailable(connection);
    CO_TRY_VOID(co_await wait_for(connection, Descriptor::wait_write, clock, deadline));
  }
  Rows last;
  for (;;) {
    while (PQisBusy(connection) != 0) {
      CO_TRY_VOID(co_await wait_for(connection, Descriptor::wait_read, clock, deadline));
      if (PQconsumeInput(connection) == 0) co_return unavailable(connection);
    }
    PGresult* const result = PQgetResult(connection);
    if (result == nullptr) co_return last;
    last = Rows(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      co_return unavailable(one_line(PQresultErrorMessage(result)));
    }
  }
}

Task<Result<void>> prepare(PGconn* connection, base::Clock& clock, base::Timestamp deadline) {
  if (PQsendQuery(connection, kTablesExistSql) == 0) co_return unavailable(connection);
  CO_TRY(const Rows exist, co_await finish_query(connection, clock, deadline));
  if (exist.size() != 1 || exist.text(0, 0) != "t") {
    if (PQsendQuery(connection, kCreateTablesSql) == 0) co_return unavailable(connection);
    CO_TRY_VOID(co_await finish_query(connection, clock, deadline));
  }
  for (const StatementText& text : statement_texts()) {
    if (PQsendPrepare(connection, text.name, text.sql, 0, nullptr) == 0) {
      co_return unavailable(connection);
    }
    CO_TRY_VOID(co_await finish_query(connection, clock, deadline));
  }
  if (PQenterPipelineMode(connection) == 0) co_return unavailable(connection);
  co_return Result<void>();
}

}  // namespace

Task<Result<Connection>> connect_to_database(base::Clock& clock, DatabaseAddress address,
                                             base::Timestamp deadline) {
  CO_TRY(const std::vector<std::string> addresses,
         co_await resolve(address.host, address.port, clock, deadline));
  base::Error last;
  for (const std::string& numeric : addresses) {
    Result<Connection> connection = co_await open(address, numeric, clock, deadline);
    if (!connection) {
      last = std::move(connection).error();
      if (clock.now() >= deadline) break;
      continue;
    }
    CO_TRY_VOID(co_await prepare(connection->get(), clock, deadline));
    co_return std::move(connection);
  }
  co_return std::unexpected(std::move(last));
}

}  // namespace messageboard
