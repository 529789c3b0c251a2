#include "lib/http/body.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "lib/http/response_head.h"
#include "lib/runtime/runtime.h"

namespace http {
namespace {

class File {
 public:
  explicit File(std::string_view bytes) {
    char name[] = "/tmp/file-body-XXXXXX";
    const int fd = ::mkstemp(name);
    path_ = name;
    EXPECT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ::close(fd);
  }
  ~File() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

runtime::Task<void> read(BodyReader& body, std::size_t bytes_max,
                         base::Result<std::string>& result) {
  result = co_await read_all(body, bytes_max);
}

base::Result<std::string> all(BodyReader& body, std::size_t bytes_max = 1 << 20) {
  base::Result<std::string> result = base::fail(base::ErrorKind::Internal, "not read");
  runtime::block_on(read(body, bytes_max, result));
  return result;
}

TEST(Body, FromMemoryIsReadWholeOrRefusedAsTooLarge) {
  EXPECT_EQ(*all(*body_of("some bytes"), 10), "some bytes");
  EXPECT_EQ(all(*body_of("some bytes"), 9).error().kind, base::ErrorKind::TooLarge);
  EXPECT_EQ(*all(*body_of(""), 0), "");
}

TEST(FileBody, GivesTheAskedPart) {
  runtime::BlockingPool pool(1);
  const File file("0123456789");
  const auto part = file_body(pool, file.path(), 2, 5);
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ((*part)->length(), 5U);
  EXPECT_EQ(*all(**part), "23456");
  EXPECT_EQ(*all(**file_body(pool, file.path(), 10, 0)), "");
  EXPECT_EQ(*all(**file_body(pool, ::open(file.path().c_str(), O_RDONLY), 0, 10)), "0123456789");
}

TEST(FileBody, RefusesWhatTheFileHasNot) {
  runtime::BlockingPool pool(1);
  const File file("0123456789");
  EXPECT_EQ(file_body(pool, file.path(), 0, 11).error().kind, base::ErrorKind::InvalidInput);
  EXPECT_EQ(file_body(pool, file.path(), 11, 0).error().kind, base::ErrorKind::InvalidInput);
  EXPECT_EQ(file_body(pool, file.path(), 1, UINT64_MAX).error().kind,
            base::ErrorKind::InvalidInput);
  EXPECT_EQ(file_body(pool, "/tmp", 0, 0).error().kind, base::ErrorKind::InvalidInput);
  EXPECT_EQ(file_body(pool, file.path() + "x", 0, 0).error().kind, base::ErrorKind::NotFound);
}

TEST(FileBody, FileThatShrinksIsAnErrorNotAnEnd) {
  runtime::BlockingPool pool(1);
  const File file("0123456789");
  const auto body = file_body(pool, file.path(), 0, 10);
  ASSERT_EQ(::truncate(file.path().c_str(), 4), 0);
  EXPECT_EQ(all(**body).error().kind, base::ErrorKind::Internal);
}

Response of_status(int status, std::string body = {}) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

TEST(ResponseHead, LengthStatedByTheHandlerCountsForHeadAnd304Only) {
  Response response = of_status(200, "four");
  response.headers.add("Content-Length", "1000");
  EXPECT_EQ(plan_response(response, "GET", 1, true).length, 4U);
  EXPECT_EQ(plan_response(response, "HEAD", 1, true).length, 1000U);
  response.status = 304;
  EXPECT_EQ(plan_response(response, "GET", 1, true).length, 1000U);
  EXPECT_FALSE(plan_response(response, "GET", 1, true).send_body);
  EXPECT_EQ(plan_response(of_status(304, "four"), "GET", 1, true).length, std::nullopt);
}

TEST(ResponseHead, FieldsOfTheServerAreNotTheHandlersToSet) {
  Response response = of_status(201, "x");
  for (const char* name :
       {"content-length", "TRANSFER-ENCODING", "Connection", "Keep-Alive", "Date", "Location"}) {
    response.headers.add(name, "y");
  }
  std::string head;
  append_response_head(head, response, plan_response(response, "GET", 1, true), 1, "Date: now\r\n");
  EXPECT_EQ(head, "HTTP/1.1 201 Created\r\nDate: now\r\nLocation: y\r\nContent-Length: 1\r\n\r\n");
}

TEST(ResponseHead, FlawsAreNamed) {
  EXPECT_EQ(response_flaw(of_status(200)), "");
  EXPECT_EQ(response_flaw(of_status(100)), "status 100");
  EXPECT_EQ(response_flaw(of_status(600)), "status 600");
  Response named = of_status(200);
  named.headers.add("X Y", "z");
  EXPECT_EQ(response_flaw(named), "a malformed header name");
  Response valued = of_status(200);
  valued.headers.add("X", "a\nb");
  EXPECT_EQ(response_flaw(valued), "a control character in header X");
}

}  // namespace
}  // namespace http
