/* SPDX-License-Identifier: MIT OR Unlicense
   drift: is a column getting worse? The verdict that a soak test asks for. Pure. README.md says what it means to a user
   and what was measured of it; trend.h, shifts.h and outliers.h say how each part is found. */
#ifndef DRIFT_H
#define DRIFT_H

#include "insight/outliers.h"
#include "insight/shifts.h"
#include "insight/trend.h"
#include "query/reducer.h"

#define DRIFT_POINTS      300   /* of a series that is judged: enough, and its pairs are few enough             */
#define DRIFT_FEWEST      24    /* with fewer values there is no verdict                                         */
#define DRIFT_INDEPENDENT 12    /* nor with fewer independent ones, unless …                                     */
#define DRIFT_ONE_WAY     0.9   /* … nearly all pairs go one way (Kendall's tau)                                 */
#define DRIFT_LEAST       0.001 /* of the level: what changes less over the whole time stands                    */
#define DRIFT_OUTLIERS    20    /* that are told, the farthest off                                               */

typedef enum { DRIFT_STEADY, DRIFT_RISING, DRIFT_FALLING, DRIFT_UNCLEAR } drift_verdict;
const char *drift_verdict_name(drift_verdict v); /* "steady" … */

typedef struct {
    int64_t time; /* ns, of the first point of the new level */
    double before, after;
} drift_shift;

typedef struct {
    int64_t from, until; /* ns, of the first and the last point of neighbours that are as far off */
    double value, usual; /* the farthest, and the median around it                                */
    double score;        /* in standard deviations; negative: below                               */
} drift_outlier;

/* All numbers are of the column, or of its rate per second if it is a counter. */
typedef struct {
    drift_verdict verdict;
    size_t points;       /* with a value; 0: the numbers below are NaN, also where there are too few to tell       */
    double independent;  /* of them: see trend.h                                                                   */
    int64_t first, last; /* ns, of those points                                                                    */
    double slope;        /* per hour, without up to two shifts that say more than a slope does                     */
    double low, high;    /* it lies there with 99 % confidence; infinite: the points do not tell                   */
    double level, noise; /* median; standard deviation of what slope and shifts leave                              */
    drift_shift shifts[SHIFTS_MAX];
    size_t shift_count;
    drift_outlier outliers[DRIFT_OUTLIERS]; /* in order */
    size_t outlier_count;                   /* of them here … */
    size_t outliers_found;                  /* … and in all   */
} drift;

/* Points with time rising, and what they stand for; NaN: no value. `kind` COUNTER: the rate of the means is judged, and
   what falls is a counter that began anew: no value. O(points²). */
void drift_of(const int64_t *time, const series_column *values, size_t points, column_kind kind, drift *out);
double drift_hours(const drift *d); /* from the first point to the last */
/* What the slope makes of the level over the whole time. */
double drift_change(const drift *d);

#endif
