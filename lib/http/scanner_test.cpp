#include "lib/http/scanner.h"

#include <gtest/gtest.h>

#include <string>

namespace http {
namespace {

struct Request {
  Scan scan;
  RequestHead head;
  HeaderViews fields;
};

Request scan_request(std::string_view bytes, HeadLimits limits = {}) {
  Request request;
  request.scan = scan_request_head(bytes, limits, request.head, request.fields);
  return request;
}

// The status that a head with these header lines (each with its CR LF) is refused with; 0: none.
int refusal_of_fields(std::string_view fields) {
  return scan_request("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n").scan.refusal;
}

int refusal_of_line(std::string_view line) {
  return scan_request(std::string(line) + "\r\nHost: a\r\n\r\n").scan.refusal;
}

TEST(RequestHead, GivesItsPartsAndLeavesWhatFollows) {
  const std::string head =
      "POST /a%20b?x=1&y=? HTTP/1.1\r\nHost: example.com:8080\r\nX-Empty:\r\n"
      "X-Padded: \t two words \t\r\nContent-Length: 3\r\n\r\n";
  const std::string bytes = head + "abcGET /next";
  const Request request = scan_request(bytes);
  ASSERT_EQ(request.scan.refusal, 0);
  EXPECT_EQ(request.scan.consumed, head.size());
  EXPECT_EQ(request.head.method, "POST");
  EXPECT_EQ(request.head.target, "/a%20b?x=1&y=?");
  EXPECT_EQ(request.head.path, "/a%20b");
  EXPECT_EQ(request.head.query, "x=1&y=?");
  EXPECT_EQ(request.head.minor, 1);
  EXPECT_EQ(request.head.framing.content_length, 3U);
  EXPECT_TRUE(request.head.framing.keep_alive);
  EXPECT_EQ(request.fields.size(), 4U);
  EXPECT_EQ(request.fields.find("x-padded"), "two words");
  EXPECT_EQ(request.fields.find("X-EMPTY"), "");
  EXPECT_EQ(request.fields.find("missing"), std::nullopt);
}

TEST(RequestHead, EveryPrefixWantsMoreBytes) {
  const std::string head =
      "GET http://a/b?c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: \x80\xff\r\n\r\n";
  for (std::size_t count = 0; count < head.size(); ++count) {
    const Scan scan = scan_request(std::string_view(head).substr(0, count)).scan;
    EXPECT_EQ(scan.consumed, 0U) << count;
    EXPECT_EQ(scan.refusal, 0) << count << scan.why;
  }
  EXPECT_EQ(scan_request(head).scan.consumed, head.size());
}

TEST(RequestHead, OneEmptyLineBeforeItIsForgiven) {
  EXPECT_EQ(scan_request("\r\nGET / HTTP/1.0\r\n\r\n").scan.consumed, 20U);
  EXPECT_EQ(scan_request("\r\n\r\nGET / HTTP/1.0\r\n\r\n").scan.refusal, 400);
}

TEST(RequestHead, AbsoluteTargetIsReducedAndMustNameTheHost) {
  const Request request = scan_request("GET http://A.b:80/p?q HTTP/1.1\r\nHost: a.b:80\r\n\r\n");
  ASSERT_EQ(request.scan.refusal, 0) << request.scan.why;
  EXPECT_EQ(request.head.target, "/p?q");
  EXPECT_EQ(request.head.path, "/p");
  EXPECT_EQ(refusal_of_line("GET http://b/ HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET http://a HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET http:/// HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET ftp://a/ HTTP/1.1"), 400);
}

TEST(RequestHead, OnlyHttp10And11AreSpoken) {
  EXPECT_EQ(refusal_of_line("GET / HTTP/1.1"), 0);
  EXPECT_EQ(refusal_of_line("GET / HTTP/1.0"), 0);
  EXPECT_EQ(refusal_of_line("GET / HTTP/1.2"), 505);
  EXPECT_EQ(refusal_of_line("GET / HTTP/2.0"), 505);
  EXPECT_EQ(refusal_of_line("GET / HTTP/0.9"), 505);
  EXPECT_EQ(refusal_of_line("PRI * HTTP/2.0"), 505);
  EXPECT_EQ(refusal_of_line("GET / HTTP/11.1"), 400);
  EXPECT_EQ(refusal_of_line("GET / HTTP/1.x"), 400);
  EXPECT_EQ(refusal_of_line("GET / http/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET /"), 400);
}

TEST(RequestHead, MalformedRequestLinesAreRefused) {
  EXPECT_EQ(refusal_of_line("GET  / HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET /  HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET / HTTP/1.1 "), 400);
  EXPECT_EQ(refusal_of_line(" GET / HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET\t/ HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("G{T / HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET /a b HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET /#f HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET /\x80 HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET /\x7f HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET path HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("GET * HTTP/1.1"), 400);
  EXPECT_EQ(refusal_of_line("OPTIONS * HTTP/1.1"), 0);
  EXPECT_EQ(refusal_of_line("CONNECT a:443 HTTP/1.1"), 501);
  EXPECT_EQ(refusal_of_line(std::string(33, 'M') + " / HTTP/1.1"), 400);
  EXPECT_EQ(scan_request("\x16\x03\x01\x02").scan.refusal, 400);
}

TEST(RequestHead, LinesEndWithCarriageReturnAndLineFeedOnly) {
  EXPECT_EQ(scan_request("GET / HTTP/1.1\nHost: a\n\n").scan.refusal, 400);
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n").scan.refusal, 400);
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n").scan.refusal, 400);
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n").scan.refusal, 400);
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n").scan.refusal, 400);
}

TEST(RequestHead, MalformedFieldsAreRefused) {
  EXPECT_EQ(refusal_of_fields("X: a\r\n b\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("X: a\r\n\tb\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("X : a\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("X\t: a\r\n"), 400);
  EXPECT_EQ(refusal_of_fields(": a\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("X\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("X(y): a\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("X\x80: a\r\n"), 400);
  EXPECT_EQ(refusal_of_fields(std::string_view("X: a\0b\r\n", 8)), 400);
  EXPECT_EQ(refusal_of_fields("X: 12345678\x01"
                              "2345678\r\n"),
            400);
  EXPECT_EQ(refusal_of_fields("X: 1234567\x7f"
                              "12345678\r\n"),
            400);
  EXPECT_EQ(refusal_of_fields("X: \xc3\xa4 tab\there\r\n"), 0);
}

TEST(RequestHead, LengthThatTwoParsersCouldReadInTwoWaysIsRefused) {
  EXPECT_EQ(refusal_of_fields("Content-Length: 0\r\n"), 0);
  EXPECT_EQ(refusal_of_fields("Content-Length: 007\r\n"), 0);
  for (const char* value : {"", "-1", "+1", "1 2", "1,1", "0x10", "1e3", "99999999999999999999"}) {
    EXPECT_EQ(refusal_of_fields("Content-Length: " + std::string(value) + "\r\n"), 400) << value;
  }
  EXPECT_EQ(refusal_of_fields("Content-Length: 1\r\nContent-Length: 1\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("Content-Length: 1\r\ncontent-length: 2\r\n"), 400);
}

TEST(RequestHead, TransferCodingIsChunkedOrRefused) {
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: Chunked\r\n"), 0);
  for (const char* value :
       {"gzip", "gzip, chunked", "chunked, chunked", "identity", "", "chunked;a", "\vchunked"}) {
    EXPECT_NE(refusal_of_fields("Transfer-Encoding: " + std::string(value) + "\r\n"), 0) << value;
  }
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: gzip, chunked\r\n"), 501);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400);
  EXPECT_EQ(refusal_of_fields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(scan_request("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").scan.refusal, 400);
}

TEST(RequestHead, HostIsThereExactlyOnce) {
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nX: a\r\n\r\n").scan.refusal, 400);
  EXPECT_EQ(scan_request("GET / HTTP/1.0\r\nX: a\r\n\r\n").scan.refusal, 0);
  EXPECT_EQ(refusal_of_fields("Host: a\r\n"), 400);
  for (const char* host : {"a/b", "a@b", "a b", "a\\b", "a?b", "\"a\""}) {
    const std::string head = "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
    EXPECT_EQ(scan_request(head).scan.refusal, 400) << host;
  }
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").scan.refusal, 0);
}

TEST(RequestHead, SizeAndFieldsAreLimited) {
  const HeadLimits limits{100, 3};
  const auto head_of = [](std::size_t padding) {
    return "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(padding, 'x') + "\r\n\r\n";
  };
  const std::size_t fits = 100 - head_of(0).size();
  EXPECT_EQ(scan_request(head_of(fits), limits).scan.consumed, 100U);
  EXPECT_EQ(scan_request(head_of(fits + 1), limits).scan.refusal, 431);
  EXPECT_EQ(scan_request(head_of(fits) + "GET / HTTP/1.1", limits).scan.consumed, 100U);
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n", limits).scan.refusal,
            0);
  EXPECT_EQ(
      scan_request("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\n\r\n", limits).scan.refusal,
      431);
}

TEST(RequestHead, KeepAliveFollowsVersionAndConnection) {
  const auto kept = [](std::string_view version, std::string_view connection) {
    return scan_request("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" +
                        std::string(connection) + "\r\n")
        .head.framing.keep_alive;
  };
  EXPECT_TRUE(kept("1.1", ""));
  EXPECT_FALSE(kept("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: upgrade , Close\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: a\r\nConnection: close\r\n"));
  EXPECT_FALSE(kept("1.0", ""));
  EXPECT_TRUE(kept("1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(kept("1.0", "Connection: keep-alive, close\r\n"));
}

TEST(RequestHead, ExpectationsAreToldApart) {
  const auto expects = [](std::string_view version, std::string_view fields) {
    return scan_request("PUT / HTTP/" + std::string(version) + "\r\nHost: a\r\n" +
                        std::string(fields) + "\r\n")
        .head.framing.expect;
  };
  EXPECT_EQ(expects("1.1", ""), Expectation::None);
  EXPECT_EQ(expects("1.1", "Expect: 100-Continue\r\n"), Expectation::Continue);
  EXPECT_EQ(expects("1.1", "Expect: tea\r\n"), Expectation::None);
  EXPECT_EQ(expects("1.1", "Expect: \r\n"), Expectation::None);
  EXPECT_EQ(expects("1.1", "Expect: tea\r\nExpect: 100-continue\r\n"), Expectation::Continue);
  EXPECT_EQ(expects("1.0", "Expect: 100-continue\r\n"), Expectation::None);
}

Scan scan_answer(std::string_view bytes, ResponseHead& head) {
  HeaderViews fields;
  return scan_response_head(bytes, {}, head, fields);
}

TEST(ResponseHead, GivesStatusAndFraming) {
  ResponseHead head;
  EXPECT_EQ(scan_answer("HTTP/1.1 404 Not  Found\r\nContent-Length: 2\r\n\r\nab", head).consumed,
            46U);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.framing.content_length, 2U);
  EXPECT_TRUE(head.framing.keep_alive);
  EXPECT_GT(scan_answer("HTTP/1.0 200\r\n\r\n", head).consumed, 0U);
  EXPECT_FALSE(head.framing.keep_alive);
  EXPECT_GT(scan_answer("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", head).consumed, 0U);
  EXPECT_TRUE(head.framing.chunked);
}

TEST(ResponseHead, WhatIsNotHttpIsRefused) {
  ResponseHead head;
  for (const char* line : {"HTTP/1.1 2000 OK", "HTTP/1.1 20", "HTTP/1.1 abc", "HTTP/1.1 099 X",
                           "HTTP/1.1  200", "HTTP/2 200", "SSH-2.0-OpenSSH", "HTTP/1.1 200\tOK"}) {
    const Scan scan = scan_answer(std::string(line) + "\r\nContent-Length: 0\r\n\r\n", head);
    EXPECT_NE(scan.refusal, 0) << line;
  }
  EXPECT_NE(scan_answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", head)
                .refusal,
            0);
}

TEST(HeaderText, WhatIsSentIsChecked) {
  EXPECT_TRUE(is_token("X-Amz-Date"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_TRUE(is_field_value("plain \t \xff text that is longer than eight"));
  EXPECT_FALSE(is_field_value("text that is longer\r\nthan eight"));
  EXPECT_FALSE(is_field_value(std::string_view("\0", 1)));
  EXPECT_TRUE(is_target("/a?b"));
  EXPECT_FALSE(is_target("/a b"));
  EXPECT_TRUE(is_host("a.b:80"));
  EXPECT_FALSE(is_host("a/b"));
}

}  // namespace
}  // namespace http
