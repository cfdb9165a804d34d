// SPDX-License-Identifier: MIT OR Unlicense
// classes: a C++ program. Scopes end with their block, also when an exception leaves it; members, templates and lambdas have
// them, too; a tracer is an object that stops itself. Runs argv[1] seconds (10).
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <chrono>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

class Tracer {
  public:
    explicit Tracer(const char *app_name)
    {
        dolon_desc desc = {}; // C++ before 20 has no designated initialisers
        desc.app_name = app_name;
        desc.interval = 0.25;
        t = dolon_start(&desc);
    }
    ~Tracer()
    {
        dolon_stop(t);
    }
    Tracer(const Tracer &) = delete;
    Tracer &operator=(const Tracer &) = delete;

    // A column from now on, of an object that outlives the tracer.
    template <class Container> void follow(const char *name, const Container &container)
    {
        dolon_probe probe = {name, size_of<Container>, const_cast<Container *>(&container), nullptr};
        dolon_add_probe(t, &probe);
    }

  private:
    // By dolon's thread: a size that is only read may be a little old, and never wrong.
    template <class Container> static double size_of(void *container)
    {
        return static_cast<double>(static_cast<const Container *>(container)->size());
    }
    dolon_tracer *t;
};

class Accounts {
  public:
    void move(const std::string &from, const std::string &to, int amount)
    {
        DOLON_SCOPE("Accounts::move"); // DOLON_FUNCTION() would say "move"
        if (balance[from] < amount) throw std::runtime_error("not enough");
        balance[from] -= amount;
        balance[to] += amount;
        DOLON_COUNT("moved", amount);
    }
    std::map<std::string, int> balance;
};

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? std::atof(argv[1]) : 10;
    Accounts accounts; // before the tracer, which so ends first
    accounts.balance["achilles"] = accounts.balance["hector"] = 1000;
    Tracer tracer("classes");
    tracer.follow("accounts", accounts.balance);
    for (int i = 0; i < seconds * 200; i++) {
        try {
            accounts.move(i % 3 ? "achilles" : "hector", "account " + std::to_string(i % 100), 7);
        } catch (const std::exception &) {
            DOLON_COUNT("refused", 1);
        }
        auto rest = [] {
            DOLON_SCOPE("rest");
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        };
        rest();
    }
}
