#include "analysis/database.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <stdexcept>

#include <gmock/gmock.h>
#include <unistd.h>

#include "sim/base/error.hpp"

namespace souk::database_test {
namespace {

namespace fs = std::filesystem;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() { fs::create_directories(folder_); }
  ~DatabaseTest() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }
  fs::path folder_ = fs::temp_directory_path() / ("souk_database_" + std::to_string(getpid()));
  fs::path file_ = folder_ / "a b?c%.sqlite";  // a name that a URI must escape
};

TEST_F(DatabaseTest, gives_back_what_was_stored) {
  Database db(file_, Database::Mode::write);
  db.execute("CREATE TABLE t(i INTEGER, r REAL, s TEXT, o INTEGER)");
  Statement insert(db, "INSERT INTO t VALUES(?,?,?,?)");
  insert.run(-5, 0.1, std::string("O'Brien"), std::optional<int>());
  insert.run(std::numeric_limits<std::int64_t>::max(), std::nan(""), std::string(), std::optional<int>(7));
  Statement rows(db, "SELECT i, r, s, o FROM t ORDER BY i");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.integer(0), -5);
  EXPECT_EQ(rows.real(1), 0.1);
  EXPECT_EQ(rows.text(2), "O'Brien");
  EXPECT_TRUE(rows.is_null(3));
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.integer(0), std::numeric_limits<std::int64_t>::max());
  EXPECT_TRUE(rows.is_null(1) && std::isnan(rows.real(1)));
  EXPECT_EQ(rows.integer(3), 7);
  EXPECT_FALSE(rows.step());
  EXPECT_TRUE(fs::exists(file_));
}

TEST_F(DatabaseTest, a_transaction_is_all_or_nothing) {
  Database db = Database::in_memory();
  db.execute("CREATE TABLE t(i INTEGER PRIMARY KEY)");
  EXPECT_THROW(db.in_transaction([&] {
    db.execute("INSERT INTO t VALUES(1)");
    db.execute("INSERT INTO t VALUES(1)");
  }),
               std::runtime_error);
  EXPECT_EQ(db.integer("SELECT count(*) FROM t"), 0);
  db.in_transaction([&] { db.execute("INSERT INTO t VALUES(1)"); });
  EXPECT_EQ(db.integer("SELECT count(*) FROM t"), 1);
}

TEST_F(DatabaseTest, is_read_while_it_is_written) {
  Database writer(file_, Database::Mode::write);
  writer.execute("CREATE TABLE t(i INTEGER)");
  writer.execute("BEGIN IMMEDIATE");
  writer.execute("INSERT INTO t VALUES(1)");
  const Database reader(file_, Database::Mode::read);
  EXPECT_EQ(reader.integer("SELECT count(*) FROM t"), 0);
  writer.execute("COMMIT");
  EXPECT_EQ(reader.integer("SELECT count(*) FROM t"), 1);
}

TEST_F(DatabaseTest, is_read_where_nothing_can_be_written) {
  {
    Database db(file_, Database::Mode::write);
    db.execute("CREATE TABLE t(i INTEGER)");
    db.execute("INSERT INTO t VALUES(3)");
  }
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  const Database reader(file_, Database::Mode::read);
  EXPECT_EQ(reader.integer("SELECT i FROM t"), 3);
}

TEST_F(DatabaseTest, says_what_cannot_be_read_and_why) {
  EXPECT_THROW(Database(folder_ / "gone.sqlite", Database::Mode::read), std::runtime_error);
  EXPECT_FALSE(fs::exists(folder_ / "gone.sqlite"));
  Database db(file_, Database::Mode::write);
  EXPECT_THROW(Statement(db, "SELECT x FROM nowhere"), std::runtime_error);
  db.require_version(7);  // new
  db.execute("PRAGMA user_version = 3");
  db.require_version(3);
  EXPECT_THROW(db.require_version(7), InputError);
}

}  // namespace
}  // namespace souk::database_test
