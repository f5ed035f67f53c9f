#include "sim/data/fetch.hpp"

#include <array>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/data/tar_archive.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::fetch_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

std::string sha256(const Bytes& content) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(content.data(), content.size(), digest.data());
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

// What the server does with a file.
struct Behaviour {
  Bytes content;
  bool ranges = true;         // honours Range
  std::size_t cut_after = 0;  // closes the connection after so many body bytes, once
};

// A web server on the loopback interface, one connection at a time.
class Server {
 public:
  explicit Server(std::map<std::string, Behaviour> files) : files_(std::move(files)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 8);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/", port_); }
  // Path and Range of every request so far.
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (int connection; (connection = accept(listener_, nullptr, nullptr)) >= 0; close(connection)) answer(connection);
  }

  static std::string read_request(int connection) {
    std::string request;
    std::array<char, 4096> buffer{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = recv(connection, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return request;
  }

  void answer(int connection) {
    const std::string request = read_request(connection);
    const std::string path = request.substr(5, request.find(' ', 5) - 5);
    const std::size_t range = request.find("Range: bytes=");
    std::size_t start = range == std::string::npos ? 0 : std::stoul(request.substr(range + 13));
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(range == std::string::npos ? path : fmt::format("{} from {}", path, start));
    }
    if (!files_.contains(path)) return send_all(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    Behaviour& file = files_[path];
    if (!file.ranges) start = 0;
    const std::size_t all = file.content.size();
    if (start > 0 && start >= all) {
      return send_all(connection, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n");
    }
    std::string head = start > 0 ? fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\n",
                                               start, all - 1, all)
                                 : "HTTP/1.1 200 OK\r\n";
    head += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n", all - start);
    std::string body(file.content.begin() + static_cast<long>(start), file.content.end());
    if (file.cut_after > 0) body.resize(std::min(file.cut_after, body.size()));
    file.cut_after = 0;
    send_all(connection, head + body);
  }

  static void send_all(int connection, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t sent = send(connection, text.data() + done, text.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return;
      done += static_cast<std::size_t>(sent);
    }
  }

  std::map<std::string, Behaviour> files_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
};

class Fetch : public testing::Test {
 protected:
  Fetch() : content(100'000) {
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::uint8_t>(i * i >> 3);
    set = {"toy", "toy", {}, {{"a.bin", content.size(), Checksum::sha256, sha256(content)}}, false};
  }
  std::vector<FetchedFile> fetch(const std::vector<std::string>& mirrors) {
    FetchOptions options;
    options.mirrors = mirrors;
    return fetch_set(set, directory.path(), options);
  }

  TempDirectory directory;
  Bytes content;
  CatalogueSet set;
  std::string path = directory / "toy/a.bin", part = directory / "toy/a.bin.part";
};

TEST_F(Fetch, downloads_verifies_and_keeps_what_is_already_there) {
  Server server({{"a.bin", {content}}});

  const auto first = fetch({server.url()}), second = fetch({server.url()});

  EXPECT_EQ(read_file(path), content);
  EXPECT_FALSE(first[0].already_there);
  EXPECT_TRUE(second[0].already_there);
  EXPECT_FALSE(std::filesystem::exists(part));
  EXPECT_THAT(server.requests(), ElementsAre("a.bin"));
}

TEST_F(Fetch, goes_on_where_a_connection_was_cut) {
  Server server({{"a.bin", {content, true, 60'000}}});

  fetch({server.url()});

  EXPECT_EQ(read_file(path), content);
  EXPECT_THAT(server.requests(), ElementsAre("a.bin", "a.bin from 60000"));
}

TEST_F(Fetch, goes_on_with_the_partial_file_of_an_earlier_run) {
  Server server({{"a.bin", {content}}});
  write_file(part, Bytes(content.begin(), content.begin() + 1234));

  fetch({server.url()});

  EXPECT_EQ(read_file(path), content);
  EXPECT_THAT(server.requests(), ElementsAre("a.bin from 1234"));
}

TEST_F(Fetch, starts_afresh_where_the_server_ignores_ranges) {
  Server server({{"a.bin", {content, false, 60'000}}});

  fetch({server.url()});

  EXPECT_EQ(read_file(path), content);
  EXPECT_THAT(server.requests(), ElementsAre("a.bin", "a.bin from 60000"));
}

TEST_F(Fetch, starts_afresh_where_the_partial_file_was_damaged) {
  Server server({{"a.bin", {content}}});
  write_file(part, Bytes(1234, 0xee));

  fetch({server.url()});

  EXPECT_EQ(read_file(path), content);
  EXPECT_THAT(server.requests(), ElementsAre("a.bin from 1234", "a.bin"));
}

TEST_F(Fetch, starts_afresh_when_the_range_cannot_be_satisfied) {
  set.files[0].bytes = 0;  // so that a partial file longer than the real one is not noticed before
  Server server({{"a.bin", {content}}});
  write_file(part, Bytes(content.size() + 5, 1));

  fetch({server.url()});

  EXPECT_EQ(read_file(path), content);
  EXPECT_THAT(server.requests(), ElementsAre("a.bin from 100005", "a.bin"));
}

TEST_F(Fetch, gives_a_complete_partial_file_its_name_without_asking) {
  Server server({});
  write_file(part, content);

  fetch({server.url()});

  EXPECT_EQ(read_file(path), content);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Fetch, tries_the_next_mirror_and_names_each_ones_reason) {
  Bytes corrupted = content;
  corrupted[50'000] ^= 1;
  Bytes longer = content;
  longer.push_back(0);
  Server missing({}), corrupt({{"a.bin", {corrupted}}}), too_long({{"a.bin", {longer}}}), good({{"a.bin", {content}}});

  const std::string error = input_error([&] {
    fetch({missing.url(), corrupt.url(), too_long.url(), "http://127.0.0.1:1/"});
  });
  const bool left_behind = std::filesystem::exists(path);
  fetch({missing.url(), corrupt.url(), good.url()});

  EXPECT_THAT(error, AllOf(HasSubstr("a.bin could not be fetched"), HasSubstr(missing.url() + "a.bin: answered 404"),
                           HasSubstr("has the SHA-256 checksum"), HasSubstr("sends more than 100000 bytes"),
                           HasSubstr("http://127.0.0.1:1/a.bin: ")));
  EXPECT_FALSE(left_behind);
  EXPECT_EQ(read_file(path), content);
}

TEST_F(Fetch, replaces_a_file_that_is_not_the_right_one) {
  Server server({{"a.bin", {content}}});
  write_file(path, std::string("something else"));

  fetch({server.url()});

  EXPECT_EQ(read_file(path), content);
}

TEST_F(Fetch, takes_mirrors_from_the_environment) {
  Server server({{"a.bin", {content}}});
  setenv("SOUK_MIRRORS", ("http://127.0.0.1:1 " + server.url()).c_str(), 1);

  fetch({});
  unsetenv("SOUK_MIRRORS");

  EXPECT_EQ(read_file(path), content);
}

TEST_F(Fetch, says_which_file_it_cannot_write) {
  Server server({{"a.bin", {content}}});
  std::filesystem::create_directories(part);  // a folder in the way

  EXPECT_THAT(input_error([&] { fetch({server.url()}); }), HasSubstr("a.bin"));
}

TEST_F(Fetch, reports_its_progress) {
  Server server({{"a.bin", {content}}});
  FetchOptions options;
  options.mirrors = {server.url()};
  std::uint64_t last = 0;
  options.progress = [&last](const FetchProgress& progress) {
    EXPECT_EQ(progress.file, "a.bin");
    EXPECT_EQ(progress.total, 100'000u);
    EXPECT_GE(progress.received, last);
    last = progress.received;
  };

  fetch_set(set, directory.path(), options);

  EXPECT_EQ(last, 100'000u);
}

TEST(FetchDataset, knows_its_catalogue) {
  std::set<std::string> names;
  for (const CatalogueSet& set : dataset_catalogue()) {
    names.insert(set.name);
    for (const CatalogueFile& file : set.files) {
      EXPECT_EQ(file.digest.size(), file.checksum == Checksum::sha256 ? 64u : 32u) << file.name;
    }
  }

  EXPECT_EQ(names.size(), dataset_catalogue().size());
  EXPECT_THAT(input_error([] { fetch_dataset("nope", "/tmp", {}); }), HasSubstr("known: mnist, fashion_mnist, kmnist"));
}

TEST(RealFetch, catalogue_has_the_checksums_of_the_real_files) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  const TempDirectory directory;
  for (const auto& [name, folder, files] :
       {std::tuple("mnist", "mnist", 4u), std::tuple("fashion_mnist", "fashion-mnist", 4u),
        std::tuple("cora", "planetoid", 8u), std::tuple("citeseer", "planetoid", 8u)}) {
    FetchOptions options;
    options.mirrors = {"file://" + *real_data() + "/" + folder};

    EXPECT_EQ(fetch_dataset(name, directory.path(), options).size(), files);
  }
}

// One member of a tar archive.
Bytes tar_member(const std::string& name, const Bytes& content, char type = '0') {
  Bytes block(512);
  const auto put = [&block](std::size_t at, const std::string& text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<long>(at));
  };
  put(0, name), put(124, fmt::format("{:011o}", content.size())), put(148, "        ");
  block[156] = static_cast<std::uint8_t>(type);
  unsigned sum = 0;
  for (const std::uint8_t byte : block) sum += byte;
  put(148, fmt::format("{:06o}", sum)), block[154] = 0;
  block.insert(block.end(), content.begin(), content.end());
  block.resize((block.size() + 511) / 512 * 512);
  return block;
}

Bytes tar(const std::vector<Bytes>& members) {
  Bytes archive;
  for (const Bytes& member : members) archive.insert(archive.end(), member.begin(), member.end());
  archive.resize(archive.size() + 1024);
  return archive;
}

TEST(UnpackTar, writes_wanted_members_flat_and_nowhere_else) {
  const TempDirectory directory;
  const std::string out = directory / "out";
  std::filesystem::create_directories(out);
  write_file(directory / "a.tar.gz", gzip(tar({tar_member("set/", {}, '5'), tar_member("set/a.bin", {1, 2, 3}),
                                               tar_member("set/readme.html", Bytes(600, 'x')),
                                               tar_member("../../b.bin", {4}), tar_member("/etc/c.bin", Bytes(513, 5)),
                                               tar_member("set/link.bin", {}, '2'), tar_member(".bin", {6})})));

  const auto written = unpack_tar(directory / "a.tar.gz", out, ".bin");

  EXPECT_THAT(written, ElementsAre(out + "/a.bin", out + "/b.bin", out + "/c.bin"));
  EXPECT_EQ(read_file(out + "/a.bin"), (Bytes{1, 2, 3}));
  EXPECT_EQ(read_file(out + "/c.bin"), Bytes(513, 5));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out), {}), 3);
}

TEST(UnpackTar, survives_damage) {
  const TempDirectory directory;
  const std::string archive = directory / "a.tar", out = directory / "out";
  std::filesystem::create_directories(out);
  write_file(archive, tar({tar_member("a.bin", {1, 2, 3}), tar_member("b.bin", Bytes(600, 7))}));

  survive_damage(archive, [&] { unpack_tar(archive, out, ".bin"); });

  EXPECT_THAT(input_error([&] {
                write_file(archive, Bytes(512, 1));
                unpack_tar(archive, out, ".bin");
              }),
              HasSubstr("damaged tar header"));
}

TEST_F(Fetch, unpacks_archives) {
  const Bytes archive = gzip(tar({tar_member("x/train.bin", {1}), tar_member("x/test.bin", {2})}));
  set.files = {{"x.tar.gz", 0, Checksum::sha256, sha256(archive)}};
  set.unpack = true;
  Server server({{"x.tar.gz", {archive}}});

  const auto files = fetch({server.url()});

  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(read_file(directory / "toy/train.bin"), Bytes{1});
}

}  // namespace
}  // namespace souk::fetch_test
