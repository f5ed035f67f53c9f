#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// Where saved bytes go, in order.
class StateSink {
 public:
  virtual ~StateSink() = default;
  virtual void write(std::span<const std::byte> bytes) = 0;
};

/// Where saved bytes come from, in order.
class StateSource {
 public:
  virtual ~StateSource() = default;
  virtual std::uint64_t left() const = 0;             ///< bytes not read yet
  virtual void read(std::span<std::byte> bytes) = 0;  ///< contract: no more than are left
};

/// What is saved of a vector that is spread over ranks.
enum class Portion : std::uint8_t {
  whole,  ///< all of it on every rank: what any other number of ranks can load
  own,    ///< the part of the rank: what the same rank loads again, without a word to the others
};

/// One visit for save and load: a class serializes itself by naming its fields, the archive reads or writes them. Field
/// names and their order are part of the file format; a load checks them.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual bool loading() const = 0;
  virtual Portion portion() const = 0;
  virtual void field(std::string_view name, std::vector<float>& values) = 0;
  virtual void field(std::string_view name, std::vector<double>& values) = 0;
  virtual void field(std::string_view name, std::vector<std::int64_t>& values) = 0;
  virtual void field(std::string_view name, std::int64_t& value) = 0;
  virtual void field(std::string_view name, double& value) = 0;
  virtual void field(std::string_view name, std::string& value) = 0;
  /// Begins a field of `count` floats that nobody need hold whole: `piece` follows until all are saved or loaded. The
  /// same bytes as a field of a vector. Where a load finds another number, throws InputError.
  virtual void begin_floats(std::string_view name, std::size_t count) = 0;
  /// The next values of the field begun last.
  virtual void piece(std::span<float> values) = 0;
};

/// Hands fields to a sink as they come, and keeps nothing.
class ArchiveWriter : public Archive {
 public:
  explicit ArchiveWriter(StateSink& sink, Portion portion = Portion::whole) : sink_(sink), portion_(portion) {}
  bool loading() const final { return false; }
  Portion portion() const final { return portion_; }
  void field(std::string_view name, std::vector<float>& values) final;
  void field(std::string_view name, std::vector<double>& values) final;
  void field(std::string_view name, std::vector<std::int64_t>& values) final;
  void field(std::string_view name, std::int64_t& value) final;
  void field(std::string_view name, double& value) final;
  void field(std::string_view name, std::string& value) final;
  void begin_floats(std::string_view name, std::size_t count) final;
  void piece(std::span<float> values) final;

 private:
  void begin(std::string_view name, char type, std::size_t count);
  StateSink& sink_;
  Portion portion_;
};

/// Reads fields back in the same order. Throws InputError naming the first field that is not as expected.
class ArchiveReader : public Archive {
 public:
  explicit ArchiveReader(StateSource& source, Portion portion = Portion::whole) : source_(source), portion_(portion) {}
  bool loading() const final { return true; }
  Portion portion() const final { return portion_; }
  void field(std::string_view name, std::vector<float>& values) final;
  void field(std::string_view name, std::vector<double>& values) final;
  void field(std::string_view name, std::vector<std::int64_t>& values) final;
  void field(std::string_view name, std::int64_t& value) final;
  void field(std::string_view name, double& value) final;
  void field(std::string_view name, std::string& value) final;
  void begin_floats(std::string_view name, std::size_t count) final;
  void piece(std::span<float> values) final;
  /// Reads the head of a text field, whose bytes are read by somebody else. Returns how many they are.
  std::size_t begin_text(std::string_view name) { return begin(name, 's', 1); }
  void expect_end() const;

 private:
  std::size_t begin(std::string_view name, char type, std::size_t element);
  template <class T>
  void vector_field(std::string_view name, char type, std::vector<T>& values);
  template <class T>
  void single_field(std::string_view name, char type, T& value);
  StateSource& source_;
  Portion portion_;
};

/// Bytes in memory.
class MemorySink : public StateSink {
 public:
  void write(std::span<const std::byte> bytes) final { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class MemorySource : public StateSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : rest_(bytes) {}
  std::uint64_t left() const final { return rest_.size(); }
  void read(std::span<std::byte> bytes) final;

 private:
  std::span<const std::byte> rest_;
};

/// Appends fields to bytes in memory.
class SaveArchive final : private MemorySink, public ArchiveWriter {
 public:
  explicit SaveArchive(Portion portion = Portion::whole) : ArchiveWriter(static_cast<MemorySink&>(*this), portion) {}
  using MemorySink::bytes;
};

/// Reads fields from bytes in memory, which must outlive it.
class LoadArchive final : private MemorySource, public ArchiveReader {
 public:
  explicit LoadArchive(std::span<const std::byte> bytes, Portion portion = Portion::whole)
      : MemorySource(bytes), ArchiveReader(static_cast<MemorySource&>(*this), portion) {}
};

}  // namespace souk
