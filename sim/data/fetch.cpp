#include "sim/data/fetch.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <utility>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/data/file_handle.hpp"
#include "sim/data/tar_archive.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr int attempts_per_mirror = 3;  // a connection cut midway is taken up again

std::string digest_of(const std::string& path, Checksum checksum) {
  const FileHandle file(std::fopen(path.c_str(), "rb"));
  SOUK_REQUIRE(file != nullptr, "{}: cannot be read", path);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const EVP_MD* const kind = checksum == Checksum::sha256 ? EVP_sha256() : EVP_md5();
  SOUK_EXPECT(context != nullptr && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1);
  std::vector<unsigned char> step(1 << 16);
  while (const std::size_t got = std::fread(step.data(), 1, step.size(), file.get())) {
    EVP_DigestUpdate(context.get(), step.data(), got);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  SOUK_EXPECT(EVP_DigestFinal_ex(context.get(), bytes.data(), &size) == 1);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

// Why a file is not the one wanted; empty if it is.
std::string mismatch(const std::string& path, const CatalogueFile& file) {
  const std::uint64_t bytes = fs::file_size(path);
  if (file.bytes != 0 && bytes != file.bytes) return fmt::format("has {} bytes, must have {}", bytes, file.bytes);
  const std::string digest = digest_of(path, file.checksum);
  if (digest == file.digest) return {};
  return fmt::format("has the {} checksum {}, must have {}", file.checksum == Checksum::sha256 ? "SHA-256" : "MD5",
                     digest, file.digest);
}

// One transfer into a file that may hold the beginning already.
struct Transfer {
  const CatalogueFile& wanted;
  const FetchOptions& options;
  std::string part;
  std::uint64_t start = 0;  // bytes that were there
  FileHandle out{};
  CURL* curl = nullptr;
  std::uint64_t written = 0;  // bytes on disk
  bool first = true;
  bool too_long = false;
  bool disk_failed = false;
};

// Runs when the first body byte comes, after the status is known: a server that answers 200 sends the whole file.
bool place_first_byte(Transfer& transfer) {
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  const bool continues = status == 206 && transfer.start > 0;
  transfer.out.reset(std::fopen(transfer.part.c_str(), continues ? "ab" : "wb"));
  transfer.written = continues ? transfer.start : 0;
  transfer.first = false;
  return transfer.out != nullptr;
}

std::size_t write_body(char* data, std::size_t, std::size_t bytes, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.disk_failed = transfer.first && !place_first_byte(transfer);
  if (transfer.disk_failed) return 0;
  transfer.too_long = transfer.wanted.bytes != 0 && transfer.written + bytes > transfer.wanted.bytes;
  if (transfer.too_long) return 0;
  const std::size_t done = std::fwrite(data, 1, bytes, transfer.out.get());
  transfer.written += done;
  transfer.disk_failed = done != bytes;
  return done;
}

int report_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const Transfer& transfer = *static_cast<Transfer*>(user);
  if (transfer.options.progress && !transfer.first) {
    transfer.options.progress({transfer.wanted.name, transfer.written, transfer.wanted.bytes});
  }
  return 0;
}

void set_options(CURL* curl, const std::string& url, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, transfer.options.connect_timeout_s);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, transfer.options.stall_timeout_s);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &write_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &report_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

enum class Outcome : std::uint8_t { complete, cut, refused };

// Asks for what is missing of the file, by a plain Range header: CURLOPT_RESUME_FROM would make an error of a server's
// answering with the whole file.
Outcome transfer_once(const std::string& url, Transfer& transfer, std::string& reason) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), &curl_easy_cleanup);
  SOUK_EXPECT(curl != nullptr);
  transfer.curl = curl.get();
  set_options(curl.get(), url, transfer);
  const std::string range = fmt::format("{}-", transfer.start);
  // Of a local file curl gives the range without saying so: it is copied whole.
  if (transfer.start > 0 && !url.starts_with("file:")) curl_easy_setopt(curl.get(), CURLOPT_RANGE, range.c_str());
  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  const bool written = transfer.out == nullptr || std::fclose(transfer.out.release()) == 0;
  SOUK_REQUIRE(written && !transfer.disk_failed, "{}: cannot be written", transfer.part);
  if (code == CURLE_OK && !transfer.first) return Outcome::complete;
  if (code == CURLE_OK) {
    reason = "sent an empty file";
    return Outcome::refused;
  }
  reason = transfer.too_long ? fmt::format("sends more than {} bytes", transfer.wanted.bytes)
           : status >= 400   ? fmt::format("answered {}", status)
                             : curl_easy_strerror(code);
  if (status == 416) fs::remove(transfer.part);  // what is there is not the beginning of the file: start afresh
  if (transfer.too_long) fs::remove(transfer.part);
  const bool worth_repeating = status == 416 || (!transfer.first && !transfer.too_long);
  return worth_repeating ? Outcome::cut : Outcome::refused;
}

// Whether `url` gave the file; otherwise why not.
bool fetch_from(const std::string& url, const CatalogueFile& file, const std::string& path, const FetchOptions& options,
                std::string& reason) {
  const std::string part = path + ".part";
  for (int attempt = 0; attempt < attempts_per_mirror; ++attempt) {
    std::error_code none;
    std::uint64_t start = fs::exists(part) ? fs::file_size(part) : 0;
    const bool complete = start > 0 && (file.bytes != 0 ? start >= file.bytes : mismatch(part, file).empty());
    Outcome outcome = Outcome::complete;
    if (!complete) {
      Transfer transfer{file, options, part, start};
      outcome = transfer_once(url, transfer, reason);
    }
    if (outcome == Outcome::refused) return false;
    if (outcome == Outcome::cut) continue;
    reason = mismatch(part, file);
    if (reason.empty()) {
      put_in_place(part, path);
      return true;
    }
    // Damaged content may come from an earlier download that this one continued: then it is worth one from the start.
    fs::remove(part, none);
    if (start == 0) return false;
  }
  return false;
}

std::vector<std::string> choose_mirrors(const CatalogueSet& set, const FetchOptions& options) {
  std::vector<std::string> mirrors = options.mirrors;
  if (const char* variable = std::getenv("SOUK_MIRRORS"); mirrors.empty() && variable != nullptr) {
    std::istringstream words(variable);
    for (std::string word; words >> word;) mirrors.push_back(word);
  }
  if (mirrors.empty()) mirrors = set.mirrors;
  for (std::string& mirror : mirrors) {
    if (!mirror.ends_with('/')) mirror += '/';
  }
  return mirrors;
}

FetchedFile fetch_file(const CatalogueFile& file, const std::vector<std::string>& mirrors, const fs::path& directory,
                       const FetchOptions& options) {
  const std::string path = (directory / file.name).string();
  if (fs::exists(path) && mismatch(path, file).empty()) return {path, true};
  std::string reasons;
  for (const std::string& mirror : mirrors) {
    std::string reason;
    if (fetch_from(mirror + file.name, file, path, options, reason)) return {path, false};
    reasons += fmt::format("\n  {}{}: {}", mirror, file.name, reason);
  }
  throw_input_error("{} could not be fetched:{}", file.name, reasons);
}

}  // namespace

const std::vector<CatalogueSet>& dataset_catalogue() {
  static const std::vector<CatalogueSet> catalogue{
      {"mnist",
       "mnist",
       {"https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"},
       {{"train-images-idx3-ubyte.gz", 9912422, Checksum::sha256,
         "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
        {"train-labels-idx1-ubyte.gz", 28881, Checksum::sha256,
         "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
        {"t10k-images-idx3-ubyte.gz", 1648877, Checksum::sha256,
         "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
        {"t10k-labels-idx1-ubyte.gz", 4542, Checksum::sha256,
         "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"}}},
      {"fashion_mnist",
       "fashion-mnist",
       {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"},
       {{"train-images-idx3-ubyte.gz", 26421880, Checksum::sha256,
         "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
        {"train-labels-idx1-ubyte.gz", 29515, Checksum::sha256,
         "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
        {"t10k-images-idx3-ubyte.gz", 4422102, Checksum::sha256,
         "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
        {"t10k-labels-idx1-ubyte.gz", 5148, Checksum::sha256,
         "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"}}},
      {"kmnist",
       "kmnist",
       {"http://codh.rois.ac.jp/kmnist/dataset/kmnist/"},
       {{"train-images-idx3-ubyte.gz", 0, Checksum::md5, "bdb82020997e1d708af4cf47b453dcf7"},
        {"train-labels-idx1-ubyte.gz", 0, Checksum::md5, "e144d726b3acfaa3e44228e80efcd344"},
        {"t10k-images-idx3-ubyte.gz", 0, Checksum::md5, "5c965bf0a639b31b8f53240b1b52f4d7"},
        {"t10k-labels-idx1-ubyte.gz", 0, Checksum::md5, "7320c461ea6c1c855c0b718fb2a4b134"}}},
      {"cifar10",
       "cifar10",
       {"https://www.cs.toronto.edu/~kriz/"},
       {{"cifar-10-binary.tar.gz", 0, Checksum::sha256,
         "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}},
       true},
      {"cifar100",
       "cifar100",
       {"https://www.cs.toronto.edu/~kriz/"},
       {{"cifar-100-binary.tar.gz", 168513733, Checksum::sha256,
         "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"}},
       true},
      {"cora",
       "planetoid",
       {"https://github.com/kimiyoung/planetoid/raw/master/data/"},
       {{"ind.cora.x", 22119, Checksum::sha256, "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab"},
        {"ind.cora.y", 4054, Checksum::sha256, "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1"},
        {"ind.cora.tx", 148025, Checksum::sha256, "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a"},
        {"ind.cora.ty", 28135, Checksum::sha256, "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad"},
        {"ind.cora.allx", 257305, Checksum::sha256, "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543"},
        {"ind.cora.ally", 47959, Checksum::sha256, "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71"},
        {"ind.cora.graph", 59847, Checksum::sha256, "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d"},
        {"ind.cora.test.index", 5000, Checksum::sha256,
         "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875"}}},
      {"citeseer",
       "planetoid",
       {"https://github.com/kimiyoung/planetoid/raw/master/data/"},
       {{"ind.citeseer.x", 31087, Checksum::sha256, "d20de19150741e555de0ed037195630fc194114ebc7fd72ced62810148aa22f6"},
        {"ind.citeseer.y", 3014, Checksum::sha256, "8ba87e515d8e3ee3cf52f6d2c5b86aa73f11ecad825a808455209ec26cd54924"},
        {"ind.citeseer.tx", 260321, Checksum::sha256,
         "539a8906a2da97628d212f2fdd668c109a8b3f0d36574b59e5d3fd5b5303da21"},
        {"ind.citeseer.ty", 24135, Checksum::sha256,
         "55e5bd1ba1e733a04598753ad1a8d57957f4b8f89e74519f41f4f4938767e4ce"},
        {"ind.citeseer.allx", 595021, Checksum::sha256,
         "2ac30345d95c9ec933a817ee0bdd6a5f077f8c184a20e696910192d534414668"},
        {"ind.citeseer.ally", 55623, Checksum::sha256,
         "f704b2d986dde6c2669934de1f3ae5696a6cf9455c0f6b2646a2d135ea0a1c95"},
        {"ind.citeseer.graph", 61987, Checksum::sha256,
         "d79a4ef9d3e7169aee8946145f6b7306e35bc79bffad26346cfb94e10e9912a7"},
        {"ind.citeseer.test.index", 5000, Checksum::sha256,
         "2af990671580b6b2df5d158d1038f8292e30c9cd821b5453f399659b25b723d4"}}},
  };
  return catalogue;
}

std::vector<FetchedFile> fetch_set(const CatalogueSet& set, const std::string& directory,
                                   const FetchOptions& options) try {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  SOUK_EXPECT(ready == CURLE_OK);
  const fs::path folder = fs::path(directory) / set.folder;
  std::error_code error;
  fs::create_directories(folder, error);
  SOUK_REQUIRE(!error, "{}: cannot be created: {}", folder.string(), error.message());
  const std::vector<std::string> mirrors = choose_mirrors(set, options);
  SOUK_REQUIRE(!mirrors.empty(), "{}: no mirror is known: give one with --mirror URL", set.name);
  std::vector<FetchedFile> fetched;
  for (const CatalogueFile& file : set.files) {
    fetched.push_back(fetch_file(file, mirrors, folder, options));
    if (!set.unpack) continue;
    const FetchedFile archive = fetched.back();
    for (std::string& path : unpack_tar(archive.path, folder.string(), ".bin")) {
      fetched.push_back({std::move(path), archive.already_there});
    }
  }
  return fetched;
} catch (const fs::filesystem_error& error) {
  throw_input_error("{} could not be fetched: {}", set.name, error.what());
}

std::vector<FetchedFile> fetch_dataset(const std::string& name, const std::string& directory,
                                       const FetchOptions& options) {
  std::string known;
  for (const CatalogueSet& set : dataset_catalogue()) {
    if (set.name == name) return fetch_set(set, directory, options);
    known += (known.empty() ? "" : ", ") + set.name;
  }
  throw_input_error("no data set \"{}\" can be fetched; known: {}", name, known);
}

}  // namespace souk
