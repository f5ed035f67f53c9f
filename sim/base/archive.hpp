#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// One visit for save and load: a class serializes itself by naming its fields, the archive reads or writes them. Field
/// names and their order are part of the file format; a load checks them.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual bool loading() const = 0;
  virtual void field(std::string_view name, std::vector<float>& values) = 0;
  virtual void field(std::string_view name, std::vector<double>& values) = 0;
  virtual void field(std::string_view name, std::vector<std::int64_t>& values) = 0;
  virtual void field(std::string_view name, std::int64_t& value) = 0;
  virtual void field(std::string_view name, double& value) = 0;
  virtual void field(std::string_view name, std::string& value) = 0;
};

/// Appends fields to bytes.
class SaveArchive final : public Archive {
 public:
  bool loading() const override { return false; }
  void field(std::string_view name, std::vector<float>& values) override;
  void field(std::string_view name, std::vector<double>& values) override;
  void field(std::string_view name, std::vector<std::int64_t>& values) override;
  void field(std::string_view name, std::int64_t& value) override;
  void field(std::string_view name, double& value) override;
  void field(std::string_view name, std::string& value) override;
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  void put(std::string_view name, char type, std::size_t count, std::span<const std::byte> data);
  std::vector<std::byte> bytes_;
};

/// Reads fields back in the same order. Throws InputError naming the first field that is not as expected.
class LoadArchive final : public Archive {
 public:
  explicit LoadArchive(std::span<const std::byte> bytes) : rest_(bytes) {}
  bool loading() const override { return true; }
  void field(std::string_view name, std::vector<float>& values) override;
  void field(std::string_view name, std::vector<double>& values) override;
  void field(std::string_view name, std::vector<std::int64_t>& values) override;
  void field(std::string_view name, std::int64_t& value) override;
  void field(std::string_view name, double& value) override;
  void field(std::string_view name, std::string& value) override;
  void expect_end() const;

 private:
  std::span<const std::byte> take(std::string_view name, char type, std::size_t element);
  std::span<const std::byte> rest_;
};

}  // namespace souk
