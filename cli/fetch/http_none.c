/* For a build without libcurl. SPDX-License-Identifier: Apache-2.0 */
#include "fetch/http.h"

#include <stdio.h>

http_outcome http_get(char problem[HTTP_PROBLEM_SIZE], const http_request *request)
{
    (void)request;
    snprintf(problem, HTTP_PROBLEM_SIZE, "this lancet was built without libcurl");
    return HTTP_FAILED;
}

bool http_available(void)
{
    return false;
}
